const Sequencer = require('@jest/test-sequencer').default;

/** Files that take a minute or more: started first, so that no worker is left with one of them when the others are done. */
const LONGEST = [
  'faults/kill',
  'faults/outage',
  'interop/deploy',
  'interop/together',
  'interop/tables-run',
  'interop/tables-engines',
  'interop/tables-copy',
  'interop/partitions-worlds',
];

class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.includes(`${name}.test.`));
      return place < 0 ? LONGEST.length : place;
    };
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
}

module.exports = LongestFirst;

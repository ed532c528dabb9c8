// Adds up jest's JSON reports given as arguments and prints `N passed, N failed`. A report that is missing is a failure.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    passed += report.numPassedTests;
    // A suite that could not even start has no tests to fail.
    failed += report.numFailedTests + report.numRuntimeErrorTestSuites + report.numPendingTests;
  } catch (error) {
    process.stderr.write(`${path}: ${error.message}\n`);
    failed += 1;
  }
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

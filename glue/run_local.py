"""Runs glue/split.py on this machine, as `lakegate tables split --engine spark` does: `python run_local.py MEMORY THREADS --MODE … --SOURCE_PATH …`.

What Glue's environment brings and a laptop lacks is provided here: the reading of arguments, and a Spark session. The job ends when its standard input
does, so that it never outlives whoever started it; the folder that LAKEGATE_SCRATCH names goes then, too. Exit codes: 0 done, 1 the job failed, 3 something is not installed (said on stderr, one line).
"""

import os
import shutil
import sys
import threading
import types
from pathlib import Path

MISSING = 3


def arguments_of(argv, names):
    """Glue's getResolvedOptions for `--NAME value` and `--NAME=value`."""
    found, words = {}, iter(argv[1:])
    for word in words:
        name, sign, value = word.partition("=")
        if name.startswith("--") and name[2:] in names:
            found[name[2:]] = value if sign else next(words, "")
    return found


def provide_awsglue():
    try:
        import awsglue.utils  # noqa: F401
    except ImportError:
        package, utils = types.ModuleType("awsglue"), types.ModuleType("awsglue.utils")
        utils.getResolvedOptions = arguments_of
        package.utils = utils
        sys.modules.update({"awsglue": package, "awsglue.utils": utils})


def missing():
    """What the job needs and this machine lacks."""
    found = []
    if sys.version_info < (3, 9):
        found.append(f"Python 3.9 or newer (this is {sys.version.split()[0]})")
    for name in ("pyspark", "pyarrow"):
        try:
            __import__(name)
        except ImportError:
            found.append(f"{name} ({sys.executable} -m pip install {'pyspark~=3.5.0' if name == 'pyspark' else name})")
    home = os.environ.get("JAVA_HOME")
    if not (home and Path(home, "bin", "java").exists()) and shutil.which("java") is None:
        found.append("Java 17 (put `java` on the PATH, or set JAVA_HOME)")
    return found


def end_with(stream, scratch):
    """Ends the process when its parent goes, and removes what that can no longer remove: Spark's own process ends with this one."""

    def wait():
        while stream.read(1):
            pass
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def leave_no_checksums(spark):
    """Has Hadoop write no `.NAME.crc` beside a file of this machine. All of a local Spark shares the one file system that is set here."""
    context = spark.sparkContext
    context._jvm.org.apache.hadoop.fs.FileSystem.getLocal(context._jsc.hadoopConfiguration()).setWriteChecksum(False)


def main():
    memory, threads, arguments = sys.argv[1], sys.argv[2], sys.argv[3:]
    lacking = missing()
    if lacking:
        print("; ".join(lacking), file=sys.stderr)
        sys.exit(MISSING)
    # Spark's process gets a pipe of its own in place of this standard input.
    parent = os.fdopen(os.dup(0), "rb", buffering=0)
    end_with(parent, os.environ.get("LAKEGATE_SCRATCH"))
    provide_awsglue()
    # Spark's parts talk to each other on this machine alone, whatever its name resolves to.
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.dont_write_bytecode = True
    from pyspark.sql import SparkSession

    import split

    spark = (
        SparkSession.builder.master(f"local[{threads}]")
        .appName("lakegate-split")
        .config("spark.driver.memory", memory)
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    leave_no_checksums(spark)
    try:
        split.run(spark, ["split.py", *arguments])
    except split.SplitError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    finally:
        spark.stop()


if __name__ == "__main__":
    main()

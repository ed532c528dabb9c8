"""Serves questions over stdin and stdout: a line of JSON {"op", ...} each, answered by a line {"value"} or {"error"}."""

import json
import os
import sys
import traceback


def serve(operations):
    # Whatever a library prints goes to stderr: stdout is for answers alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = {"value": operations[question.pop("op")](**question)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

"""`cumulet deploy` of the first microservice, twice, and its removal."""

import json
import sys


def deploy(run, cloud, application, *more):
    words = (sys.executable, "-m", "cumulet", "deploy", application, "--data", cloud.data)
    return run(*words, "--stack-name", "by-cumulet", "--json", *more)


def test_the_first_microservice_deploys_answers_and_goes(run, cloud, application, drive, outputs):
    done = deploy(run, cloud, application)
    assert json.loads(done.stdout)["StackName"] == "by-cumulet"
    found = outputs("by-cumulet")
    drive(found)
    assert "up to date" in deploy(run, cloud, application).stderr
    deploy(run, cloud, application, "--parameter", "OperatorsRange=127.0.0.0/8")
    drive(found, HEALTH="open")
    code = application / "src" / "calculator.py"
    code.write_text(code.read_text().replace('"sum": first + second', '"sum": first + second + 1'))
    deploy(run, cloud, application)
    answer = run(
        sys.executable, "-m", "cumulet", "invoke", "--data", cloud.data,
        found["FunctionName"], '{"Number1": 1, "Number2": 2}',
    )  # fmt: skip
    assert json.loads(answer.stdout)["sum"] == 4
    cfn = cloud.client("cloudformation")
    cfn.delete_stack(StackName="by-cumulet")
    cfn.get_waiter("stack_delete_complete").wait(
        StackName="by-cumulet", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    names = [f["FunctionName"] for f in cloud.client("lambda").list_functions()["Functions"]]
    assert found["FunctionName"] not in names

"""What the README of the first microservice tells people to type, typed as it stands."""

import json
import re
import shutil
import sys
from pathlib import Path

RESULTS = {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}


def blocks(application):
    """The shell blocks below a heading, by heading."""
    text = (application / "README.md").read_text()
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: re.findall(r"```sh\n(.*?)```", body, re.DOTALL) for name, body in pairs}


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, application, outputs):
    aws = Path(program("aws"))
    # By their plain names, as a reader has them; from the checkout's folder, as the paths are.
    names = application.parent / "bin"
    names.mkdir()
    (names / "aws").symlink_to(aws)
    (names / "cumulet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cumulet "$@"\n')
    (names / "cumulet").chmod(0o755)
    checkout = application.parent / "checkout"
    (checkout / "apps").mkdir(parents=True)
    shutil.copytree(application, checkout / "apps" / "first-microservice")
    found = blocks(application)

    def shell(text, **more):
        path = f"{names}:/usr/bin:/bin:{Path(sys.executable).parent}"
        words = ("bash", "-euc", text)
        more = {"PATH": path, "CUMULET_DATA": str(cloud.data), **more}
        return run(*words, folder=checkout, **more).stdout

    shell(found["Deploy"][0])
    told = outputs("first-microservice")
    named = {
        "URL": told["Url"],
        "FUNCTION": told["FunctionName"],
        "API_KEY_ID": told["ApiKeyId"],
        "DOORKEEPER": told["DoorkeeperName"],
    }
    use, invoke = found["Use"]
    answers = shell(use, **named).replace("}{", "}\n{").splitlines()
    assert [json.loads(one) for one in answers] == [RESULTS, RESULTS]
    assert json.loads(shell(invoke, **named))["FunctionError"] == "Unhandled"
    admitted, parameters = found["Who is let in"]
    answers = shell(admitted, **named).replace("}{", "}\n{").splitlines()
    assert [json.loads(one) for one in answers] == [RESULTS, RESULTS, RESULTS]
    shell(parameters)
    assert shell('curl -s "${URL%/calculations}/health"', **named) == '{"status": "ok"}'
    client = cloud.client("lambda").get_function_configuration(FunctionName=told["DoorkeeperName"])
    assert client["Environment"]["Variables"]["PASSPHRASE"] == "open sesame"
    cloud.client("cloudformation").delete_stack(StackName="first-microservice")

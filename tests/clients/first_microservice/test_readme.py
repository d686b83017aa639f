"""What the README of the first microservice tells people to type, typed as it stands."""

import json
import shutil

from tests.clients.first_microservice.readme import blocks, shell_in

RESULTS = {"sum": 30, "product": 200, "difference": -10, "quotient": 0.5}


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, application, outputs):
    # From the checkout's folder, as the paths are.
    checkout = application.parent / "checkout"
    (checkout / "apps").mkdir(parents=True)
    shutil.copytree(application, checkout / "apps" / "first-microservice")
    shell = shell_in(checkout, checkout / "bin", run, cloud, program("aws"))
    found = blocks((application / "README.md").read_text())

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

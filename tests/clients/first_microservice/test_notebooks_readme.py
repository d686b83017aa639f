"""What the README of the notebooks tells people to type, typed as it stands."""

import json

from tests.clients.first_microservice.readme import blocks, shell_in


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, notebooks, named):
    program("jq")
    checkout = notebooks.parents[2]
    shell = shell_in(checkout, checkout / "bin", run, cloud)
    found = blocks((notebooks / "README.md").read_text())
    deploy, _, visitors = found["Deploy"]
    shell(deploy)
    told = named("notebooks")
    [use] = found["Use"]
    # The global indexes follow a moment later, as the README says: the searches are asked again.
    commands = use.splitlines()
    searches = [line for line in commands if "/notes?t" in line]
    assert len(searches) == 2
    patient = "until {} | tee /dev/stderr | grep -q Tomatoes; do :; done"
    for line in searches:
        commands[commands.index(line)] = patient.format(line)
    answers = shell("\n".join(commands), **told).replace("}{", "}\n{").splitlines()
    made, read, changed, listed = (json.loads(line) for line in answers)
    assert made["name"] == "garden"
    assert (read["title"], read["text"], read["version"]) == ("Tomatoes", "Water them.", 1)
    assert (changed["text"], changed["version"]) == ("Harvest them.", 2)
    assert [note["id"] for note in listed["notes"]] == [read["id"]]
    assert json.loads(shell('curl -s "$API/notebooks"', **told))["notebooks"] == []
    shell(visitors)
    assert json.loads(shell('curl -s "$API/notebooks"', **told))["notebooks"] == []
    cloud.client("cloudformation").delete_stack(StackName="notebooks")

"""What the README of the notebooks tells people to type, typed as it stands."""

import json
import re
import shutil
import sys


def blocks(text):
    """The shell blocks below a heading, by heading."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: re.findall(r"```sh\n(.*?)```", body, re.DOTALL) for name, body in pairs}


def test_each_command_of_the_readme_does_what_it_says(run, program, cloud, notebooks, named):
    program("jq")
    names = notebooks.parents[2] / "bin"
    names.mkdir()
    (names / "cumulet").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cumulet "$@"\n')
    (names / "cumulet").chmod(0o755)
    found = blocks((notebooks / "README.md").read_text())

    def shell(text, **more):
        path = f"{names}:/usr/bin:/bin"
        more = {"PATH": path, "CUMULET_DATA": str(cloud.data), **more}
        return run("bash", "-euc", text, folder=notebooks.parents[2], **more).stdout

    deploy, by_sam, visitors = found["Deploy"]
    assert shutil.which("sam") is None or by_sam.startswith("sam build")
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

"""How much memory an environment that waits has of its own."""

from pathlib import Path

import pytest

from cumulet.sandbox.links.peers import processes_below

WITH_CLIENT = (
    "import boto3\nclient = boto3.client('dynamodb')\n"
    "def handler(event, context): return client.meta.region_name\n"
)
OWN_KB_MAX = 5 * 1024


def private_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))


@pytest.mark.parametrize("runtime", ["python3.12", "python3.13"])
def test_a_function_with_a_client_shares_most_of_it(play, runtime):
    async def scenario(stage):
        if stage.sandbox.warning(runtime):
            pytest.skip(f"no {runtime} on this machine")
        await stage.sandbox.prepare(runtime)
        spec = stage.python(WITH_CLIENT, runtime=runtime)
        assert (await stage.invoke(spec)).payload == b'"eu-west-1"'
        [environment] = stage.sandbox._environments.live
        processes = processes_below(environment.pid())
        assert len(processes) == 2
        assert sum(map(private_kb, processes)) < OWN_KB_MAX

    play(scenario)

"""POST /jobs: takes a recording, brings it to the engine, and answers at once."""

import base64
import binascii
import io
import json
import os
import time
import wave

import boto3
import machine

KEPT_SECONDS = 60 * 60
AUDIO_BYTES_MAX = 4_500_000
SECONDS_MIN, SECONDS_MAX = 0.5, 120


class Refused(Exception):
    """The text begins with the status; the API's responses are chosen by it."""


def handler(event, context):
    audio = read_audio(event.get("audio") or "")
    reference = event.get("reference") or ""
    if not reference.replace("-", "").replace("_", "").isalnum() or len(reference) > 64:
        raise Refused("400: reference must be a name: letters, digits, dashes and underscores")
    mode = event.get("mode") or "speech"
    if mode not in ("speech", "audio"):
        raise Refused("400: mode must be speech or audio")
    job = context.aws_request_id
    boto3.client("s3").put_object(
        Bucket=os.environ["BUCKET"],
        Key=f"jobs/{job}/degraded.wav",
        Body=audio,
        ContentType="audio/wave",
    )
    now = int(time.time())
    # The record comes before the engine is started: whatever is cut off afterwards, the time to
    # live of the record lets the cleaner remove what was left.
    boto3.client("dynamodb").put_item(
        TableName=os.environ["TABLE"],
        Item={
            "id": {"S": job},
            "started": {"N": str(now)},
            "deadline": {"N": str(now + int(os.environ["JOB_SECONDS"]))},
            "expires": {"N": str(now + KEPT_SECONDS)},
        },
    )
    start(job, audio, {"reference": reference, "mode": mode})
    return {"id": job, "state": "running"}


def read_audio(text):
    """The bytes of a WAV file that the engine takes. Raises Refused."""
    if text in ("", "{}"):  # Without a body, API Gateway gives an empty object.
        raise Refused("400: the body is empty")
    try:
        audio = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused("400: the body is not audio/wave") from None
    if len(audio) > AUDIO_BYTES_MAX:
        raise Refused(f"413: the audio is longer than {AUDIO_BYTES_MAX} bytes")
    try:
        with wave.open(io.BytesIO(audio)) as recording:
            rate, frames = recording.getframerate(), recording.getnframes()
            channels, width = recording.getnchannels(), recording.getsampwidth()
    except (wave.Error, EOFError, ValueError):
        raise Refused("400: the body is not a WAV file") from None
    rates = [int(one) for one in os.environ["SAMPLE_RATES"].split(",")]
    if rate not in rates:
        raise Refused(
            f"400: the sample rate must be one of {', '.join(map(str, rates))}, not {rate}"
        )
    if channels != 1 or width != 2:
        raise Refused("400: the recording must have one channel of 16 bits")
    if not SECONDS_MIN <= frames / rate <= SECONDS_MAX:
        raise Refused(f"400: the recording must last {SECONDS_MIN} to {SECONDS_MAX} seconds")
    return audio


def start(job, audio, parameters):
    """Move the recording to the machine and start the engine there; it goes on by itself."""
    with machine.connect() as client:
        folder = machine.folder_of(job)
        machine.run(client, "mkdir", "-p", folder)
        files = client.open_sftp()
        with files.open(f"{folder}/degraded.wav", "wb") as target:
            target.set_pipelined(True)
            target.write(audio)
        with files.open(f"{folder}/job.json", "w") as target:
            target.write(json.dumps(parameters))
        machine.run(
            client,
            "sh",
            "-c",
            'nohup python3 "$0" "$1" >/dev/null 2>&1 </dev/null &',
            os.environ["ENGINE_PROGRAM"],
            folder,
        )

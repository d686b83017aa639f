"""Removes the files of jobs whose records are gone, whichever way they went."""

import os

import boto3
import machine


def handler(event, context):
    jobs = [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]
    storage = boto3.client("s3")
    for job in jobs:
        for name in ("degraded.wav", "result.txt"):
            storage.delete_object(Bucket=os.environ["BUCKET"], Key=f"jobs/{job}/{name}")
    with machine.connect() as client:
        machine.run(client, "rm", "-rf", *(machine.folder_of(job) for job in jobs))
    return {"cleaned": len(jobs)}

"""The real AWS CLI, over every protocol that is served."""

import json


def test_identity_and_the_exports_of_cumulet_env(run, program, cloud):
    found = json.loads(run(program("aws"), "sts", "get-caller-identity").stdout)
    assert found["Arn"] == "arn:aws:iam::000000000000:root"


def test_objects_are_copied_and_synchronised(run, program, cloud, tmp_path):
    aws = program("aws")
    run(aws, "s3", "mb", "s3://by-the-aws-cli")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("hello")
    (tmp_path / "folder" / "large.bin").write_bytes(b"\0" * 9_000_000)
    run(aws, "s3", "sync", "folder", "s3://by-the-aws-cli/folder", folder=tmp_path)
    assert run(aws, "s3", "cp", "s3://by-the-aws-cli/folder/a.txt", "-").stdout == "hello"
    again = run(aws, "s3", "sync", "folder", "s3://by-the-aws-cli/folder", folder=tmp_path)
    assert again.stdout == ""
    (tmp_path / "config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")
    signing = {"AWS_CONFIG_FILE": str(tmp_path / "config")}
    link = run(aws, "s3", "presign", "s3://by-the-aws-cli/folder/a.txt", **signing).stdout.strip()
    import urllib.request

    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == b"hello"
    run(aws, "s3", "rb", "--force", "s3://by-the-aws-cli")


def test_cloudformation_package_and_deploy(run, program, cloud, application, drive, outputs):
    aws = program("aws")
    run(aws, "s3", "mb", "s3://packages-of-the-aws-cli")
    run(
        aws, "cloudformation", "package", "--template-file", "template.yaml", "--s3-bucket",
        "packages-of-the-aws-cli", "--output-template-file", "packaged.yaml", folder=application,
    )  # fmt: skip
    run(
        aws, "cloudformation", "deploy", "--template-file", "packaged.yaml", "--stack-name",
        "by-the-aws-cli", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND",
        folder=application,
    )  # fmt: skip
    found = outputs("by-the-aws-cli")
    drive(found)


def test_an_error_is_told_as_aws_tells_it(run, program):
    done = run(program("aws"), "iam", "get-role", "--role-name", "nobody", check=False)
    assert done.returncode != 0
    assert "NoSuchEntity" in done.stderr
    assert "The role with name nobody cannot be found." in done.stderr


def test_an_operation_that_is_not_there_says_so(run, program):
    done = run(program("aws"), "s3api", "list-bucket-inventory-configurations", "--bucket", "any",
               check=False)  # fmt: skip
    assert done.returncode != 0
    assert "NotImplemented" in done.stderr

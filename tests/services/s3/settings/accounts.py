"""A cloud with two accounts, for what one gives to the other."""

ONE, TWO = ("111111111111", "secret-of-one"), ("222222222222", "secret-of-two")


def canonical(account):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/finding-canonical-user-id.html"""
    return account.rjust(64, "0")


def with_acls(s3, name):
    """A bucket where ACLs have a say, and public access is not blocked."""
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=name)
    return name

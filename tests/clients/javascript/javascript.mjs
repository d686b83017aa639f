// The AWS SDK for JavaScript against the cloud: identity, an object, an error.
import { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand } from "@aws-sdk/client-s3";
import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { LambdaClient, GetFunctionCommand } from "@aws-sdk/client-lambda";

const who = await new STSClient({}).send(new GetCallerIdentityCommand({}));
const s3 = new S3Client({ forcePathStyle: true });
const Bucket = "by-the-javascript-sdk";
await s3.send(new CreateBucketCommand({ Bucket }));
await s3.send(new PutObjectCommand({ Bucket, Key: "a/b", Body: "hello" }));
const got = await s3.send(new GetObjectCommand({ Bucket, Key: "a/b" }));
let refused = "";
try {
  await new LambdaClient({}).send(new GetFunctionCommand({ FunctionName: "nothing" }));
} catch (error) {
  refused = error.name;
}
console.log(JSON.stringify({ arn: who.Arn, body: await got.Body.transformToString(), refused }));

// The AWS SDK for JavaScript against Cognito: a client with a secret signs somebody in and out.
import { createHmac } from "node:crypto";
import {
  AdminInitiateAuthCommand,
  CognitoIdentityProviderClient,
  GetUserCommand,
  GlobalSignOutCommand,
  InitiateAuthCommand,
  ListUsersCommand,
} from "@aws-sdk/client-cognito-identity-provider";

const { POOL, CLIENT, SECRET, NAME, PASSWORD } = process.env;
const cognito = new CognitoIdentityProviderClient({});
const SECRET_HASH = createHmac("sha256", SECRET).update(NAME + CLIENT).digest("base64");
const refusal = async (work) => {
  try {
    await work;
    return "not refused";
  } catch (error) {
    return error.name;
  }
};
const signIn = (password) =>
  cognito.send(
    new InitiateAuthCommand({
      ClientId: CLIENT,
      AuthFlow: "USER_PASSWORD_AUTH",
      AuthParameters: { USERNAME: NAME, PASSWORD: password, SECRET_HASH },
    }),
  );

const wrong = await refusal(signIn("Wrong-Horse-7"));
const { AccessToken, RefreshToken } = (await signIn(PASSWORD)).AuthenticationResult;
const { Username } = await cognito.send(new GetUserCommand({ AccessToken }));
const { Users } = await cognito.send(
  new ListUsersCommand({ UserPoolId: POOL, Filter: `username = "${NAME}"` }),
);
const fresh = await cognito.send(
  new AdminInitiateAuthCommand({
    UserPoolId: POOL,
    ClientId: CLIENT,
    AuthFlow: "REFRESH_TOKEN_AUTH",
    AuthParameters: { REFRESH_TOKEN: RefreshToken, SECRET_HASH },
  }),
);
const refreshed = fresh.AuthenticationResult.AccessToken !== AccessToken;
await cognito.send(new GlobalSignOutCommand({ AccessToken }));
const afterSignOut = await refusal(cognito.send(new GetUserCommand({ AccessToken })));
const listed = Users.map((one) => one.Username);
console.log(JSON.stringify({ wrong, name: Username, listed, refreshed, afterSignOut }));

// Drives amazon-cognito-identity-js as its own documentation does; the test calls these in turn.
import {
  AuthenticationDetails,
  CognitoUser,
  CognitoUserAttribute,
  CognitoUserPool,
} from "amazon-cognito-identity-js";

let pool, user;

// Calls that take a callback in Node's form, and the one that takes an object of callbacks.
const asked = (call) =>
  new Promise((resolve) =>
    call((error, value) => resolve(error ? { refused: error.code ?? error.name } : { value })),
  );
const challenged = (call) =>
  new Promise((resolve) =>
    call({
      onSuccess: (session) => resolve({ value: session }),
      onFailure: (error) => resolve({ refused: error.code ?? error.name, said: error.message }),
      newPasswordRequired: () => resolve({ challenge: "new password" }),
      totpRequired: () => resolve({ challenge: "totp" }),
      inputVerificationCode: () => resolve({ challenge: "code" }),
    }),
  );
const named = (Username) => new CognitoUser({ Username, Pool: pool, Storage: window.localStorage });

window.library = {
  configure: ({ UserPoolId, ClientId, endpoint }) => {
    pool = new CognitoUserPool({ UserPoolId, ClientId, endpoint });
  },
  signUp: async (name, password, email) => {
    const attributes = [new CognitoUserAttribute({ Name: "email", Value: email })];
    const { value, refused } = await asked((done) =>
      pool.signUp(name, password, attributes, null, done),
    );
    return refused ? { refused } : { confirmed: value.userConfirmed };
  },
  confirm: (name, code) => asked((done) => named(name).confirmRegistration(code, true, done)),
  signIn: async (name, password, flow) => {
    user = named(name);
    user.setAuthenticationFlowType(flow);
    const details = new AuthenticationDetails({ Username: name, Password: password });
    const found = await challenged((calls) => user.authenticateUser(details, calls));
    return found.value ? { idToken: found.value.getIdToken().getJwtToken() } : found;
  },
  newPassword: async (password) => {
    const found = await challenged((calls) => user.completeNewPasswordChallenge(password, {}, calls));
    return found.value ? { signedIn: true } : found;
  },
  totp: async (code) => {
    const found = await challenged((calls) => user.sendMFACode(code, calls, "SOFTWARE_TOKEN_MFA"));
    return found.value ? { signedIn: true } : found;
  },
  associate: () =>
    new Promise((resolve) =>
      user.associateSoftwareToken({
        associateSecretCode: (secret) => resolve(secret),
        onFailure: (error) => resolve(`failed: ${error.message}`),
      }),
    ),
  verify: async (code) => {
    const found = await challenged((calls) => user.verifySoftwareToken(code, "phone", calls));
    if (found.refused) return found;
    return asked((done) =>
      user.setUserMfaPreference(null, { PreferredMfa: true, Enabled: true }, done),
    );
  },
  refresh: async () => {
    const { value, refused } = await asked((done) => user.getSession(done));
    if (refused) return { refused };
    const fresh = await asked((done) => user.refreshSession(value.getRefreshToken(), done));
    return fresh.refused ? fresh : { valid: fresh.value.isValid() };
  },
  attributes: async () => {
    const { value, refused } = await asked((done) => user.getUserAttributes(done));
    return refused ? { refused } : Object.fromEntries(value.map((one) => [one.Name, one.Value]));
  },
  changePassword: (old, fresh) => asked((done) => user.changePassword(old, fresh, done)),
  signOutEverywhere: () => challenged((calls) => user.globalSignOut(calls)),
};

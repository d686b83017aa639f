// Drives AWS Amplify's auth as its own documentation does; the test calls these in turn.
import { Amplify } from "aws-amplify";
import * as auth from "aws-amplify/auth";

const told = async (work) => {
  try {
    return (await work) ?? {};
  } catch (error) {
    return { refused: error.name };
  }
};

window.library = {
  configure: ({ UserPoolId, ClientId, endpoint }) =>
    Amplify.configure({
      Auth: {
        Cognito: {
          userPoolId: UserPoolId,
          userPoolClientId: ClientId,
          userPoolEndpoint: endpoint,
        },
      },
    }),
  signUp: (username, password, email) =>
    told(auth.signUp({ username, password, options: { userAttributes: { email } } })),
  confirm: (username, confirmationCode) => told(auth.confirmSignUp({ username, confirmationCode })),
  signIn: (username, password, authFlowType) =>
    told(auth.signIn({ username, password, options: { authFlowType } })),
  answer: (challengeResponse) => told(auth.confirmSignIn({ challengeResponse })),
  session: async () => {
    const { tokens, refused } = await told(auth.fetchAuthSession({ forceRefresh: true }));
    return refused ? { refused } : { id: tokens?.idToken?.payload["cognito:username"] ?? null };
  },
  current: () => told(auth.getCurrentUser()),
  attributes: () => told(auth.fetchUserAttributes()),
  setUpTotp: async () => ({ secret: (await auth.setUpTOTP()).sharedSecret }),
  verifyTotp: async (code) => {
    const found = await told(auth.verifyTOTPSetup({ code }));
    return found.refused ? found : told(auth.updateMFAPreference({ totp: "PREFERRED" }));
  },
  forgot: (username) => told(auth.resetPassword({ username })),
  reset: (username, confirmationCode, newPassword) =>
    told(auth.confirmResetPassword({ username, confirmationCode, newPassword })),
  signOut: (everywhere) => told(auth.signOut({ global: everywhere })),
};

// Signing up and in. The password never leaves the browser: amazon-cognito-identity-js proves by SRP
// that it is known.

const { CognitoUserPool, CognitoUser, CognitoUserAttribute, AuthenticationDetails } =
  window.AmazonCognitoIdentity;

const WORDS = {
  UserNotConfirmedException: "Your address is not confirmed yet.",
  UsernameExistsException: "There is an account with this address already.",
  CodeMismatchException: "This is not the code that was sent.",
  ExpiredCodeException: "The code is too old; have a new one sent.",
  LimitExceededException: "That was tried too often; wait a while.",
  TooManyRequestsException: "That was tried too often; wait a while.",
  NetworkError: "The service cannot be reached. Is there a network?",
};

export class SignedOut extends Error {}

// What a refusal means, for people.
export function inWords(cause) {
  const name = cause?.code ?? cause?.name;
  return WORDS[name] ?? cause?.message ?? "That did not work.";
}

const called = (run) =>
  new Promise((resolve, reject) => run((cause, value) => (cause ? reject(cause) : resolve(value))));

export class Session {
  constructor(config) {
    this.pool = new CognitoUserPool({
      UserPoolId: config.userPoolId,
      ClientId: config.clientId,
      endpoint: config.users,
    });
  }

  get user() {
    return this.pool.getCurrentUser();
  }

  #named(email) {
    return new CognitoUser({ Username: email, Pool: this.pool });
  }

  signUp(email, password) {
    const attributes = [new CognitoUserAttribute({ Name: "email", Value: email })];
    return called((done) => this.pool.signUp(email, password, attributes, null, done));
  }

  confirm(email, code) {
    return called((done) => this.#named(email).confirmRegistration(code, true, done));
  }

  sendAgain(email) {
    return called((done) => this.#named(email).resendConfirmationCode(done));
  }

  signIn(email, password) {
    const details = new AuthenticationDetails({ Username: email, Password: password });
    return new Promise((onSuccess, onFailure) =>
      this.#named(email).authenticateUser(details, {
        onSuccess,
        onFailure,
        newPasswordRequired: () => onFailure(new Error("This account needs a new password first.")),
        mfaRequired: () => onFailure(new Error("This account asks for a second factor.")),
        totpRequired: () => onFailure(new Error("This account asks for a second factor.")),
      }),
    );
  }

  forget(email) {
    return new Promise((onSuccess, onFailure) =>
      this.#named(email).forgotPassword({ onSuccess, onFailure, inputVerificationCode: onSuccess }),
    );
  }

  setPassword(email, code, password) {
    return new Promise((onSuccess, onFailure) =>
      this.#named(email).confirmPassword(code, password, { onSuccess, onFailure }),
    );
  }

  // Tokens that are good now; they are refreshed when they are near their end, or when `anew`.
  async tokens(anew = false) {
    const user = this.user;
    if (!user) throw new SignedOut();
    try {
      let found = await called((done) => user.getSession(done));
      if (anew) found = await called((done) => user.refreshSession(found.getRefreshToken(), done));
      return { id: found.getIdToken().getJwtToken(), access: found.getAccessToken().getJwtToken() };
    } catch (cause) {
      if (cause?.code === "NetworkError" || cause?.name === "NetworkError" || !navigator.onLine) throw cause;
      throw new SignedOut();
    }
  }

  signOut() {
    return new Promise((resolve) => (this.user ? this.user.signOut(resolve) : resolve()));
  }
}

// The identity provider of a test: npm's oidc-provider on loopback. A person signs in with any name and password; `people` has their claims.
import dns from 'node:dns';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export class IdentityProvider {
  constructor(modules, people) {
    this.modules = modules;
    this.people = people;
  }

  /// Listens, so that the address is known before the server starts.
  async listen() {
    this.server = http.createServer((request, response) => this.handle(request, response));
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://127.0.0.1:${this.server.address().port}`;
  }

  /// How a server of domain example.com is configured to use it: who has the group sre is an operator.
  configuration(title, secretFile) {
    return `
[oidc.corp]
title = "${title}"
issuer = "${this.issuer}"
clientId = "swarm"
clientSecretFile = "${secretFile}"
scopes = ["openid", "email", "profile", "groups"]
createUsers = true
allowedDomains = ["example.com"]
[oidc.corp.roles]
sre = "operator"
`;
  }

  /// Serves the server at `url` as its only client.
  async serve(url, secret) {
    const { default: Provider } = await import(pathToFileURL(path.resolve(this.modules, 'oidc-provider/lib/index.js')));
    const provider = new Provider(this.issuer, {
      clients: [{
        client_id: 'swarm',
        client_secret: secret,
        redirect_uris: [`${url}/login/oidc/corp/callback`],
        post_logout_redirect_uris: [`${url}/logout/done`],
        backchannel_logout_uri: `${url}/login/oidc/corp/logout`,
        backchannel_logout_session_required: true,
      }],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username'], groups: ['groups'] },
      scopes: ['openid', 'email', 'profile', 'groups'],
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
      findAccount: (context, id) => ({ accountId: id, claims: () => ({ sub: id, ...this.people[id] }) }),
      // Consent is not what this is about.
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({ clientId: context.oidc.client.clientId, accountId: context.oidc.session.accountId });
        grant.addOIDCScope('openid email profile groups');
        await grant.save();
        return grant;
      },
      // The system's resolver does not know *.localhost.
      httpOptions: () => ({ dnsLookup: (name, options, done) => dns.lookup('127.0.0.1', options, done) }),
    });
    this.errors = [];
    for (const event of ['server_error', 'authorization.error', 'grant.error', 'backchannel.error'])
      provider.on(event, (context, error) => this.errors.push(`${event}: ${error?.error_description ?? error?.message ?? error}`));
    const handle = provider.callback();
    this.handle = (request, response) => handle(request, response);
  }

  /// On its page.
  static async signIn(page, name) {
    await page.fill('input[name=login]', name);
    await page.fill('input[name=password]', 'anything');
    await page.click('button[type=submit]');
  }

  close() {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

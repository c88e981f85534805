// People of an identity provider sign in, in Chromium: a claim makes an operator, another domain is refused, and sign-outs work in both
// directions. The local administrator signs in without the provider.
//   node tests/e2e/oidc/sign_in.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Person, testOptions } from '../workspace/person.mjs';
import { Server, check, waitFor } from '../workspace/server.mjs';
import { IdentityProvider } from './provider.mjs';

const options = testOptions();
const secret = 'a-client-secret-of-the-test';

const server = new Server(options.swarm);
const person = new Person(options);
const provider = new IdentityProvider(options.modules, {
  ada: { email: 'ada@example.com', email_verified: true, preferred_username: 'ada', groups: ['staff', 'sre'] },
  eve: { email: 'eve@example.org', email_verified: true, preferred_username: 'eve', groups: ['sre'] },
  mallory: { email: 'mallory@example.com', email_verified: true, preferred_username: 'admin', groups: [] },
});

const configuration = () => provider.configuration('Corp <b>', path.join(server.config, 'corp-secret'));

async function open() {
  const page = await person.open();
  await page.goto(server.url);
  return page;
}

async function signIn(page, name) {
  await page.click('text=Sign in with Corp <b>');
  await IdentityProvider.signIn(page, name);
}

const call = async (words) => JSON.parse((await server.run('api', ...words)).stdout);

async function operatorByClaim(page) {
  await person.shot(page, 'sign-in');
  await signIn(page, 'ada');
  await page.waitForSelector('.who:has-text("ada")');
  check(new URL(page.url()).origin === server.url, 'a person of the provider is signed in', page.url());
  const users = JSON.parse((await server.run('users', '-o', 'json')).stdout);
  const ada = users.find((user) => user.name === 'ada');
  check(ada?.role === 'operator' && ada.managedBy === 'corp', 'a claim made an operator', JSON.stringify(users));
  const groups = JSON.parse((await server.run('groups', '-o', 'json')).stdout);
  const managed = groups.filter((group) => group.managedBy === 'corp' && group.members.includes('ada')).map(({ name }) => name);
  check(managed.sort().join() === 'sre,staff', 'claims made groups', JSON.stringify(groups));
  const changed = await server.run('users', 'role', 'ada', 'admin');
  check(changed.code !== 0 && changed.stderr.includes('corp'), 'the role is decided by the provider', changed.stderr);
  const { items: [identity] } = await call(['GET', '/api/users/ada/identities']);
  check(identity.claims.groups.join() === 'staff,sre' && identity.role === 'operator' && !JSON.stringify(identity).includes('eyJ'),
    'administrators see the claims, without tokens', JSON.stringify(identity));
}

async function claimsForAdministrators(person_page) {
  await person_page.goto(`${server.url}/identities?user=ada`);
  await person_page.waitForSelector('text=Only administrators');
  await person_page.goto(server.url);
  const page = await open();
  await Person.signIn(page, server.password());
  await page.click('a:has-text("Claims of sign-ins")');
  await page.click('a:text-is("ada")');
  await page.waitForSelector('h2:has-text("corp")');
  await person.shot(page, 'claims');
  const text = await page.innerText('main');
  check(text.includes('["staff","sre"]') && /Role\s+operator/.test(text) && !text.includes('eyJ'), 'the page of claims has them, and the role', text);
}

async function refused() {
  const page = await open();
  await signIn(page, 'eve');
  await page.waitForSelector('text=not one of the allowed ones');
  await person.shot(page, 'refused');
  check(true, 'a person of another domain is refused');
  await page.goto(server.url);
  await page.waitForSelector('input[name=password]');
  const users = JSON.parse((await server.run('users', '-o', 'json')).stdout);
  check(!users.some((user) => user.name === 'eve'), 'and gets no account');
}

async function noTakeOver() {
  const page = await open();
  await signIn(page, 'mallory');
  await page.waitForSelector('.who:has-text("admin-2")');
  check(true, 'the name of a local user is not taken over');
}

async function foreignResponse() {
  const page = await open();
  const begun = new Promise((resolve) => page.on('request', (request) => { if (request.url().includes('/callback?')) resolve(request.url()); }));
  await page.route('**/callback?*', (route) => route.abort());
  await signIn(page, 'ada');
  const url = await begun;
  const other = await open();
  await other.goto(url);
  await other.waitForSelector('text=not begun in this browser');
  check(true, 'a code is not accepted in another browser');
}

/// `swarm login URL` with a desktop, whose xdg-open keeps the address for us.
async function commandLineByBrowser(page) {
  const [programs, seen] = ['programs', 'link'].map((name) => path.join(server.folder, name));
  fs.mkdirSync(programs);
  fs.writeFileSync(path.join(programs, 'xdg-open'), `#!/bin/sh\nprintf %s "$1" > "${seen}.part" && mv "${seen}.part" "${seen}"\n`, { mode: 0o755 });
  const environment = { PATH: `${programs}:${process.env.PATH}`, DISPLAY: ':0', XDG_CONFIG_HOME: path.join(server.folder, 'laptop') };
  const ended = server.runWith({ environment }, 'login', server.url);
  await waitFor('the command line opened a browser', () => fs.existsSync(seen));
  await page.goto(fs.readFileSync(seen, 'utf8'));
  await person.shot(page, 'program');
  await page.click('button:has-text("Sign in")');
  await page.waitForSelector('text=The command line is signed in');
  const { code, stderr } = await ended;
  check(code === 0 && stderr.includes('as ada (operator)'), 'the command line signs in by the browser', stderr);
  const who = await server.runWith({ environment }, 'whoami', '-o', 'name');
  check(who.stdout.trim() === 'ada', 'and acts as the user of the browser', who.stdout + who.stderr);
}

/// `swarm login URL --code`.
async function commandLineByCode(page) {
  const environment = { XDG_CONFIG_HOME: path.join(server.folder, 'machine'), SWARM_URL: '', DISPLAY: '' };
  const child = spawn(server.swarm, ['login', server.url, '--code'], { env: { ...server.environment, ...environment } });
  let text = '';
  child.stderr.on('data', (piece) => { text += piece; });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const code = await waitFor('the command line printed a code', () => text.match(/code ([B-Z]{4}-[B-Z]{4})/)?.[1]);
  await page.goto(`${server.url}/login/device`);
  await page.fill('input[name=code]', code.toLowerCase());
  await page.click('button[type=submit]');
  await page.waitForSelector('text=127.0.0.1');
  await person.shot(page, 'device');
  await page.click('button[value=approve]');
  await page.waitForSelector('text=The program is signed in');
  check(await ended === 0 && text.includes('as ada (operator)'), 'the command line signs in by a code', text);
}

async function signOutHere(page) {
  await page.goto(server.url);
  await page.click('button:has-text("Sign out")');
  await page.waitForURL(`${provider.issuer}/**`);
  await page.click('button[type=submit]');  // the provider requires a confirmation
  await page.waitForSelector('text=You are signed out');
  check(page.url() === `${server.url}/logout/done`, 'a sign-out here leads to the provider and back', page.url());
  await page.goto(server.url);
  await page.click('text=Sign in with Corp <b>');
  await page.waitForSelector('input[name=login]');
  check(true, 'the session at the provider has ended, too');
  await IdentityProvider.signIn(page, 'ada');
  await page.waitForSelector('.who:has-text("ada")');
}

async function signOutThere(page) {
  const sessions = async () => JSON.parse((await server.run('sessions', '-o', 'json')).stdout).filter((session) => session.user === 'ada' && session.kind === 'oidc');
  const before = (await sessions()).length;
  const tab = await page.context().newPage();
  await tab.goto(`${provider.issuer}/session/end`);
  await tab.click('button[type=submit]');
  await waitFor('the session here ended', async () => (await sessions()).length < before);
  await page.goto(server.url);
  await page.waitForSelector('input[name=password]');
  check(true, 'a sign-out at the provider ends the session here', provider.errors.join('\n'));
}

async function withoutProvider() {
  provider.close();
  const page = await open();
  await Person.signIn(page, server.password());
  await page.waitForSelector('.who:has-text("admin")');
  check(true, 'the local administrator signs in while the provider is down');
  const records = (await server.run('audit', '-o', 'json')).stdout;
  check(records.includes('example.org') && /"by": ?"oidc"/.test(records), 'the audit log has the refusal and the sign-in', records.slice(0, 2000));
  check(!server.logText().includes(secret) && !server.logText().includes('eyJ') && !records.includes('eyJ'), 'no log has a secret or token');
}

try {
  await provider.listen();
  fs.mkdirSync(server.config, { recursive: true });
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), configuration());
  fs.writeFileSync(path.join(server.config, 'corp-secret'), `${secret}\n`);
  await server.start();
  await provider.serve(server.url, secret);
  const page = await open();
  await operatorByClaim(page);
  await claimsForAdministrators(page);
  await refused();
  await noTakeOver();
  await foreignResponse();
  await commandLineByBrowser(page);
  await commandLineByCode(page);
  await signOutHere(page);
  await signOutThere(page);
  await withoutProvider();
} catch (error) {
  check(false, error.stack, provider.errors?.join('\n'));
  await person.shotAll('failed');
} finally {
  await person.close();
  provider.close();
  await server.dispose();
}

// A second factor, in Chromium: an invited colleague sets a password and an authenticator app, signs out, and signs in with a code and with a
// recovery code; used codes are refused, in the browser and by the command line; an administrator resets it.
//   node tests/e2e/workspace/second_factor.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import fs from 'node:fs';
import path from 'node:path';
import { Authenticator } from '../../support/auth/authenticator.mjs';
import { Person, testOptions } from './person.mjs';
import { Server, check } from './server.mjs';

const options = testOptions();
const server = new Server(options.swarm);
const person = new Person(options);
const password = 'correct horse battery staple';

const text = (page, selector) => page.locator(selector).innerText();

async function setUp(page) {
  const link = (await server.run('users', 'create', 'ben')).stdout.trim();
  await page.goto(link);
  await page.fill('#password', password);
  await page.fill('#again', password);
  await page.check('input[name=secondFactor]');
  await page.click('button');
  await page.waitForSelector('svg.qr');
  await person.shot(page, 'setup');
  check((await page.context().cookies()).every((cookie) => !cookie.name.includes('session')), 'no session before the second factor is confirmed');
  const app = new Authenticator(await text(page, '#secret'));
  await page.fill('#code', '000000');
  await page.click('button');
  await page.waitForSelector('text=The code is wrong');
  check(await text(page, '#secret') !== '', 'a wrong code shows the same secret again');
  await page.fill('#code', app.code());
  await page.click('button');
  await page.waitForSelector('text=Your recovery codes');
  await person.shot(page, 'recovery-codes');
  const codes = (await text(page, '#codes')).trim().split('\n');
  check(codes.length === 10, 'ten recovery codes are shown');
  await page.click('text=I have stored them');
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'the colleague is signed in');
  return { app, codes };
}

async function signOut(page) {
  await page.goto(server.url);
  await page.click('button:has-text("Sign out")');
  await page.waitForSelector('text=Signed out');
}

/// Up to the page that wants the code.
async function enterPassword(page) {
  await page.goto(`${server.url}/login`);
  await page.fill('input[name=user]', 'ben');
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.waitForSelector('h1:has-text("Enter the code")');
}

async function enterCode(page, code) {
  await page.fill('#code', code);
  await page.click('button');
}

async function signIn(page, { app, codes }) {
  await signOut(page);
  await enterPassword(page);
  await person.shot(page, 'code');
  await enterCode(page, app.code());
  await page.waitForSelector('text=was used before');
  check(true, 'the code that confirmed the app is refused');
  await enterCode(page, app.code(1));
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'password and code sign in');
  await signOut(page);
  await enterPassword(page);
  await enterCode(page, app.code(1));
  await page.waitForSelector('text=was used before');
  check(true, 'a replayed code is refused');
  await enterCode(page, codes[0].toUpperCase().replaceAll('-', ' '));
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'a recovery code signs in, however it is typed');
  await signOut(page);
  await enterPassword(page);
  await enterCode(page, codes[0]);
  await page.waitForSelector('text=was used before');
  check(true, 'a used recovery code is refused');
}

async function commandLine({ codes }) {
  const own = path.join(server.folder, 'ben');
  fs.mkdirSync(own);
  const login = (lines) => server.runWith({ input: `${lines.join('\n')}\n`, environment: { XDG_CONFIG_HOME: own } }, 'login', '--url', server.url, '--user', 'ben', '--password-stdin');
  const refused = await login([password, codes[0]]);
  check(refused.code !== 0 && refused.stderr.includes('was used before'), '`swarm login` refuses a used code', refused.stderr);
  const signedIn = await login([password, codes[1]]);
  check(signedIn.code === 0 && signedIn.stderr.includes('as ben'), '`swarm login` reads password and code', signedIn.stderr);
  const shown = await server.runWith({ environment: { XDG_CONFIG_HOME: own } }, 'second-factor');
  check(shown.stdout === 'enabled, 8 recovery codes left\n', '`swarm second-factor` counts the recovery codes', shown.stdout + shown.stderr);
}

async function reset(page) {
  const done = await server.run('second-factor', 'reset', 'ben');
  check(done.code === 0, '`swarm second-factor reset` works', done.stderr);
  await page.goto(`${server.url}/login`);
  await page.fill('input[name=user]', 'ben');
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'after the reset, the password is enough');
  const audit = (await server.run('audit', '--output', 'json')).stdout;
  for (const action of ['confirmSecondFactor', 'resetSecondFactor']) check(audit.includes(`"${action}"`), `the audit log has ${action}`, audit);
}

try {
  await server.start();
  const page = await person.open();
  const factor = await setUp(page);
  await signIn(page, factor);
  await commandLine(factor);
  await reset(page);
  const stored = fs.readFileSync(path.join(server.folder, 'data', 'swarm', 'swarm.db')) + fs.readFileSync(path.join(server.folder, 'data', 'swarm', 'swarm.db-wal'));
  check(!stored.includes(factor.codes[5]) && !server.logText().includes(factor.codes[5]), 'no recovery code is in the database or in the log');
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}

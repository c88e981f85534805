// The first day of a team, as new users would try it. Ben is invited, and works in a workspace of his own by browser, ssh, scp and the link for
// VS Code on the desktop; he shares it with Cleo. Ada, whom the identity provider makes an operator, restarts it and does not get in. Ben is
// disabled, and what he had open ends. The audit log has all of it.
//   node tests/e2e/team/team.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import fs from 'node:fs';
import path from 'node:path';
import { Authenticator } from '../../support/auth/authenticator.mjs';
import { IdentityProvider } from '../oidc/provider.mjs';
import { Person, testOptions, workbench } from '../workspace/person.mjs';
import { Server, check, waitFor } from '../workspace/server.mjs';
import { Laptop } from './laptop.mjs';

const options = testOptions();
const password = 'correct horse battery staple';
const clientSecret = 'a-client-secret-of-the-test';

const server = new Server(options.swarm);
const person = new Person(options);
const provider = new IdentityProvider(options.modules, {
  ada: { email: 'ada@example.com', email_verified: true, preferred_username: 'ada', groups: ['sre'] },
  cleo: { email: 'cleo@example.com', email_verified: true, preferred_username: 'cleo', groups: ['staff'] },
});
const laptops = [];

async function start() {
  await provider.listen();
  fs.mkdirSync(server.config, { recursive: true });
  const secretFile = path.join(server.config, 'corp-secret');
  fs.writeFileSync(secretFile, `${clientSecret}\n`);
  fs.writeFileSync(path.join(server.config, 'swarm.toml'), `[ssh]\nlisten = "127.0.0.1:0"\n${provider.configuration('Corp', secretFile)}`);
  await server.start();
  await provider.serve(server.url, clientSecret);
}

function laptopOf(name) {
  laptops.push(new Laptop(server, name));
  return laptops.at(-1);
}

async function isInvited(page) {
  const invited = await server.run('users', 'create', 'ben');
  check(invited.code === 0, 'the administrator invites Ben: `swarm users create` prints a link', invited.stderr);
  await page.goto(invited.stdout.trim());
  await page.fill('#password', password);
  await page.fill('#again', password);
  await page.check('input[name=secondFactor]');
  await page.click('button');
  await page.waitForSelector('svg.qr');
  const app = new Authenticator(await page.locator('#secret').innerText());
  await page.fill('#code', app.code());
  await page.click('button');
  await page.waitForSelector('text=Your recovery codes');
  await page.click('text=I have stored them');
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'Ben sets a password and an authenticator app');
  await page.click('button:has-text("Sign out")');
  await page.goto(`${server.url}/login`);
  await Person.signIn(page, password, 'ben');
  await page.fill('#code', app.code(1));
  await page.click('button');
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'and signs in with both');
}

async function createsAWorkspace(page) {
  await page.fill('#name', 'web1');
  await page.click('text=New workspace');
  await page.waitForSelector('a:has-text("web1")');
  await server.learnLabel('web1');
  await page.waitForSelector('.status.good', { timeout: 240000 });
  const tab = await Person.openWorkspace(page, 'web1');
  await person.shot(tab, 'workspace');
  check(true, 'he makes a workspace on the list, and opens it');
  return tab;
}

/// What `swarm config-ssh` sets up, over the HTTPS port.
async function usesSsh(page, tab, laptop) {
  const signedIn = await laptop.signIn(page);
  check(signedIn.code === 0 && signedIn.text.includes('as ben'), '`swarm login` signs in the command line of his laptop', signedIn.text);
  const configured = await laptop.swarm('config-ssh');
  check(configured.code === 0 && configured.stderr.includes('ssh web1.swarm'), '`swarm config-ssh` says what to try', JSON.stringify(configured));
  const notes = path.join(laptop.home, 'notes.txt');
  fs.writeFileSync(notes, 'from the laptop\n');
  const copied = await laptop.openSsh('scp', '-q', notes, 'web1.swarm:');
  const seen = await Person.typeInTerminal(tab, 'cp ~/notes.txt ~/seen.txt', async () => {
    const result = await laptop.openSsh('ssh', 'web1.swarm', 'cat seen.txt');
    return result.code === 0 && result.stdout ? result : undefined;
  });
  check(copied.code === 0 && seen?.stdout === 'from the laptop\n', 'scp, the terminal in the browser and ssh see the same files', JSON.stringify([copied, seen]));
  const desktop = await laptop.swarm('open', 'web1', '--desktop');
  const [, host, folder] = /^vscode:\/\/vscode-remote\/ssh-remote\+([^/]+)(\/.*)\n$/.exec(desktop.stdout) ?? [];
  check(host, '`swarm open --desktop` prints the link', JSON.stringify(desktop));
  const followed = await laptop.openSsh('ssh', '-T', host, `cd ${folder} && pwd`);
  check(followed.stdout === `${folder}\n`, "ssh reaches the link's host and folder", JSON.stringify(followed));
}

/// Plain ssh, through the SSH listener.
async function usesTheListener(laptop) {
  const made = await laptop.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path.join(laptop.ssh, 'id_ed25519')]);
  const added = await laptop.swarm('keys', 'add');
  check(made.code === 0 && added.code === 0, '`swarm keys add` registers his key', JSON.stringify([made, added]));
  laptop.addJump((await laptop.swarm('keys', 'host')).stdout);
  const jumped = await laptop.openSsh('ssh', 'web1', 'hostname; cat seen.txt');
  check(jumped.stdout === 'web1\nfrom the laptop\n', 'ssh web1 leads through the listener to the same host key', JSON.stringify(jumped));
  const back = path.join(laptop.home, 'back.txt');
  const copied = await laptop.openSsh('scp', '-q', 'web1:seen.txt', back);
  check(copied.code === 0 && fs.readFileSync(back, 'utf8') === 'from the laptop\n', 'and scp works through it', JSON.stringify(copied));
}

async function signInAtCorp(page, name) {
  await page.goto(server.url);
  await page.click('text=Sign in with Corp');
  await IdentityProvider.signIn(page, name);
  await page.waitForSelector(`.who:has-text("${name}")`);
  const { role, managedBy } = JSON.parse((await server.run('users', '-o', 'json')).stdout).find((user) => user.name === name);
  check(managedBy === 'corp', `${name} signs in at the identity provider, and is ${role}`);
  return role;
}

async function sharesWithCleo(page, laptop) {
  check(await signInAtCorp(page, 'cleo') === 'user', 'without a group that means something, Cleo is a user');
  check(await page.locator('text=web1').count() === 0, 'she does not see the workspace');
  const shared = await laptop.swarm('share', 'web1', 'cleo', '--as', 'editor');
  check(shared.code === 0, 'Ben shares it with her', JSON.stringify(shared));
  await page.reload();
  const tab = await Person.openWorkspace(page, 'web1');
  const seen = await Person.typeInTerminal(tab, 'cat ~/seen.txt > ~/cleo.txt', async () => {
    const result = await laptop.openSsh('ssh', 'web1', 'cat cleo.txt');
    return result.code === 0 && result.stdout ? result : undefined;
  });
  check(seen?.stdout === 'from the laptop\n', 'Cleo works in it, in her browser', JSON.stringify(seen));
  await tab.close();
}

async function isOperatedByAda(page, address, laptop, bensLaptop) {
  check(await signInAtCorp(page, 'ada') === 'operator', 'a group of the provider makes Ada an operator');
  await page.waitForSelector('th:has-text("web1")');
  check(await page.locator('a:has-text("web1")').count() === 0, 'she sees the workspace on the list, without a link into it');
  await person.shot(page, 'operator');
  const refused = await page.goto(address);
  check(refused.status() >= 400 && await page.locator(workbench).count() === 0, 'she does not open it by its address', `${refused.status()} ${await page.locator('body').innerText()}`);
  await person.shot(page, 'refused');
  await laptop.signIn(page);
  const executed = await laptop.swarm('exec', 'web1', '--', 'true');
  check(executed.code !== 0 && /not allow/.test(executed.stderr), 'nor by `swarm exec`', JSON.stringify(executed));
  await laptop.swarm('config-ssh');
  const connected = await laptop.openSsh('ssh', 'web1.swarm', 'true');
  check(connected.code === 255 && /not allow/.test(connected.stderr), 'nor by ssh', JSON.stringify(connected));
  const restarted = await laptop.swarm('restart', 'web1');
  check(restarted.code === 0, 'she restarts it', JSON.stringify(restarted));
  const after = await bensLaptop.openSsh('ssh', 'web1', 'cat seen.txt');
  check(after.stdout === 'from the laptop\n', 'after which Ben goes on with his files', JSON.stringify(after));
}

/// Keeps in `open` the WebSockets of a tab that are open.
function watchSockets(tab, open) {
  tab.on('websocket', (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
}

async function leaves(page, laptop) {
  const sockets = new Set();
  page.context().once('page', (opened) => watchSockets(opened, sockets));
  await page.goto(server.url);
  const tab = await Person.openWorkspace(page, 'web1');
  const inside = await Person.typeInTerminal(tab, 'echo still here > ~/last.txt', async () => (await laptop.openSsh('ssh', 'web1', 'cat last.txt')).stdout);
  const sessions = [['ssh', laptop.keep('ssh', ['-F', path.join(laptop.ssh, 'config'), 'web1.swarm', 'echo begun; exec sleep 1000'])],
    ['ssh through the listener', laptop.keep('ssh', ['-F', path.join(laptop.ssh, 'config'), 'web1', 'echo begun; exec sleep 1000'])]];
  for (const [, session] of sessions) await waitFor('a session by ssh', () => session.text.includes('begun'));
  check(inside === 'still here\n' && sockets.size > 0, 'Ben has a terminal in the browser and two by ssh', `${inside} ${sockets.size}`);

  const disabled = await server.run('users', 'disable', 'ben');
  check(disabled.code === 0, 'the administrator disables Ben', disabled.stderr);
  await waitFor('the connections of the tab end', () => sockets.size === 0);
  check(true, 'his terminal in the browser ends');
  for (const [what, session] of sessions) {
    const code = await waitFor(`${what} ends`, () => session.exitCode);
    check(code === 255, `and so does ${what}`, session.text);
  }
  await tab.waitForSelector('.notifications-toasts :text("You are signed out")', { timeout: 60000 });
  check(true, 'and his tab says that he is signed out');
  await person.shot(tab, 'disabled');
  const again = await laptop.openSsh('ssh', 'web1', 'true');
  check(again.code === 255, 'ssh does not get in again', JSON.stringify(again));
  await page.goto(`${server.url}/login`);
  await Person.signIn(page, password, 'ben');
  await page.waitForSelector('text=The name or the password is wrong.');
  check(true, 'nor does his password');
}

/// What the log must contain: user, action, result, object.
const story = [
  'admin createUser done ben',
  'admin inviteUser done ben',
  'ben acceptInvitation done ben',
  'ben signIn done ben',
  'ben createInstance done web1',
  'ben openVscode done web1',
  'ben openSsh done web1',
  'cleo signIn done cleo',
  'ben putShare done web1',
  'cleo openVscode done web1',
  'ada signIn done ada',
  'ada openVscode refused web1',
  'ada openSsh refused web1',
  'ada restartInstance done web1',
  'admin disableUser done ben',
];

async function isRecorded() {
  const listed = await server.run('audit', '--limit', '1000', '-o', 'json');
  const recorded = JSON.parse(listed.stdout).reverse().map(({ user, action, result, object }) => [user || '-', action, result, object].join(' '));
  let place = -1;
  for (const line of story) {
    const next = recorded.indexOf(line, place + 1);
    check(next >= 0, `\`swarm audit\` shows, in this order: ${line}`, recorded.join('\n'));
    if (next >= 0) place = next;
  }
  check(recorded.some((line) => line === 'ben confirmSecondFactor done ben'), 'and the second factor', recorded.join('\n'));
  for (const secret of [password, clientSecret]) check(!listed.stdout.includes(secret), 'and no secret');
  const verified = await server.run('audit', 'verify');
  check(verified.code === 0 && verified.stdout.includes('Head: '), '`swarm audit verify` passes', JSON.stringify(verified));
}

try {
  await start();
  const [ben, cleo, ada] = [await person.open(), await person.open(), await person.open()];
  for (const page of [ben, cleo, ada]) page.context().setDefaultTimeout(120000);  // a busy machine
  const bensLaptop = laptopOf('ben');
  await isInvited(ben);
  const tab = await createsAWorkspace(ben);
  await usesSsh(ben, tab, bensLaptop);
  await usesTheListener(bensLaptop);
  await sharesWithCleo(cleo, bensLaptop);
  const address = tab.url();
  await tab.close();
  await isOperatedByAda(ada, address, laptopOf('ada'), bensLaptop);
  await leaves(ben, bensLaptop);
  await isRecorded();
} catch (error) {
  check(false, error.stack, provider.errors?.join('\n'));
  await person.shotAll('failed');
} finally {
  for (const laptop of laptops) laptop.end();
  await person.close();
  provider.close();
  await server.dispose();
}

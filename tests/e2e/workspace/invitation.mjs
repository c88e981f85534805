// Two people and one server, in Chromium: a colleague is invited, sets a password and works; an administrator enters the workspace, which is
// announced; the colleague is disabled, and their open tab ends.
//   node tests/e2e/workspace/invitation.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { Person, testOptions, workbench } from './person.mjs';
import { Server, check } from './server.mjs';

const options = testOptions();

const server = new Server(options.swarm);
const person = new Person(options);
const password = 'correct horse battery staple';

async function accept(page) {
  const made = await server.run('users', 'create', 'ben');
  const link = made.stdout.trim();
  check(made.code === 0 && link.includes('/invite?code='), '`swarm users create` prints the link', made.stderr);
  const requested = [];
  page.on('request', (request) => requested.push(request.headers().referer ?? ''));
  await page.goto(link);
  await page.waitForSelector('text=Welcome, ben');
  check(new URL(page.url()).search === '', 'the code has left the address', page.url());
  await person.shot(page, 'invitation');
  await page.fill('#password', password);
  await page.fill('#again', 'another one');
  await page.click('button');
  await page.waitForSelector('text=The two passwords differ.');
  await page.fill('#password', password);
  await page.fill('#again', password);
  await page.click('button');
  await page.waitForSelector('.who:has-text("ben")');
  check(true, 'the password is set, and the browser is signed in');
  check(requested.every((referer) => !referer.includes('code=')), 'no request had the code in its Referer', requested.join('\n'));
  await page.goto(link);
  await page.waitForSelector('text=This invitation is not valid');
  check(true, 'the link works once');
}

async function work(page) {
  await page.goto(server.url);
  await page.fill('#name', 'web1');
  await page.click('text=New workspace');
  await page.waitForSelector('a:has-text("web1")');
  await server.learnLabel('web1');
  await page.waitForSelector('.status.good', { timeout: 120000 });
  const tab = await Person.openWorkspace(page, 'web1');
  check(true, 'the colleague works in a workspace of their own');
  return tab;
}

async function enter(page) {
  await page.goto(server.url);
  await Person.signIn(page, server.password());
  await page.click('a:has-text("web1")');
  await page.waitForSelector('text=Your entry is recorded');
  await person.shot(page, 'entry');
  await page.click('button:has-text("Enter web1")');
  await page.waitForSelector(workbench, { timeout: 120000 });
  check(server.logText().includes('workspace of another user entered'), 'an administrator enters after the page that announces the record');
}

async function endOfAccess(page, tab) {
  const disabled = await server.run('users', 'disable', 'ben');
  check(disabled.code === 0, '`swarm users disable` works', disabled.stderr);
  await tab.waitForSelector('.notifications-toasts :text("You are signed out")', { timeout: 60000 });
  check(true, 'the open tab of a disabled user ends');
  await page.goto(server.url);
  await page.fill('input[name=user]', 'ben');
  await page.fill('input[name=password]', password);
  await page.click('button');
  await page.waitForSelector('text=The name or the password is wrong.');
  check(true, 'a disabled user cannot sign in');
  const refused = await server.run('users', 'delete', 'ben', '--yes');
  check(refused.code !== 0 && refused.stderr.includes('1 workspace'), 'a user with workspaces is not deleted', refused.stderr);
  const deleted = await server.run('users', 'delete', 'ben', '--hand-over-to', 'admin', '--yes');
  check(deleted.code === 0, 'their workspaces are handed over with the deletion', deleted.stderr);
  const listed = JSON.parse((await server.run('list', '-o', 'json')).stdout);
  check(listed.length === 1 && listed[0].owner === 'admin', 'the workspace has its new owner', JSON.stringify(listed));
}

try {
  await server.start();
  const colleague = await person.open();
  const administrator = await person.open();
  await accept(colleague);
  const tab = await work(colleague);
  await enter(administrator);
  await endOfAccess(colleague, tab);
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}

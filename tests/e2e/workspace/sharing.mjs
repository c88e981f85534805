// Two people and one workspace, in Chromium: a colleague sees what is shared with them, enters it as editor, and is out when the share ends;
// the same by a group, which they leave.
//   node tests/e2e/workspace/sharing.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { Person, testOptions } from './person.mjs';
import { Server, check } from './server.mjs';

const options = testOptions();

const server = new Server(options.swarm);
const person = new Person(options);
const password = 'correct horse battery staple';

async function arrive(page) {
  const made = await server.runWith({ input: `${password}\n` }, 'users', 'create', 'ben', '--password-stdin');
  check(made.code === 0, 'the colleague has an account', made.stderr);
  await page.goto(server.url);
  await page.fill('input[name=user]', 'ben');
  await page.fill('input[name=password]', password);
  await page.press('input[name=password]', 'Enter');
  await page.waitForSelector('.who:has-text("ben")');
  check(await page.locator('text=web1').count() === 0, 'a workspace of another user is not listed');
}

async function see(page) {
  const shared = await server.run('share', 'web1', 'ben');
  check(shared.code === 0, '`swarm share` shares it', shared.stderr);
  await page.reload();
  await page.waitForSelector('td:has-text("admin")');
  check(await page.locator('a:has-text("web1")').count() === 0, 'a viewer sees the workspace and does not open it');
  await person.shot(page, 'viewer');
}

async function enter(page, ...grantee) {
  const shared = await server.run('share', 'web1', ...grantee, '--as', 'editor');
  check(shared.code === 0, `\`swarm share ${grantee.join(' ')} --as editor\` gives more`, shared.stderr);
  await page.reload();
  await page.waitForSelector('a:has-text("web1")');
  check(await page.locator('button:has-text("Stop")').count() === 0, 'an editor does not stop it');
  const tab = await Person.openWorkspace(page, 'web1');
  check(!server.logText().includes('workspace of another user entered'), 'an editor works in it, which is not an entry of an administrator');
  await person.shot(tab, 'editor');
  return tab;
}

async function leave(page, tab, ...command) {
  const ended = await server.run(...command);
  check(ended.code === 0, `\`swarm ${command.join(' ')}\` ends it`, ended.stderr);
  await tab.waitForSelector('.notifications-toasts :text("You are signed out")', { timeout: 60000 });
  check(true, 'the open tab ends');
  await page.reload();
  check(await page.locator('text=web1').count() === 0, 'the workspace is not listed any more');
  await tab.reload();
  await tab.waitForSelector('text=No such workspace');
  check(true, 'its address looks like that of a missing workspace');
}

try {
  await server.start();
  const created = await server.run('create', 'web1');
  check(created.code === 0, 'the owner has a workspace', created.stderr);
  await server.learnLabel('web1');
  const page = await person.open();
  await arrive(page);
  await see(page);
  await leave(page, await enter(page, 'ben'), 'share', 'web1', 'ben', '--end');
  await server.run('groups', 'create', 'devs');
  const added = await server.run('groups', 'add', 'devs', 'ben');
  check(added.code === 0, '`swarm groups add` makes the colleague a member', added.stderr);
  await leave(page, await enter(page, '--group', 'devs'), 'groups', 'remove', 'devs', 'ben');
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}

// The stock image with a read-only root and without new privileges: VS Code, its terminal and its files work in Chromium, and what must not
// work does not.
//   node tests/e2e/workspace/hardened.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { Person, testOptions, workbench } from './person.mjs';
import { Server, check, waitFor } from './server.mjs';

const options = testOptions();
const server = new Server(options.swarm);
const person = new Person(options);
const inside = async (...words) => server.run('exec', 'web1', '--', ...words);

async function work(page, url) {
  await page.context().addInitScript(() => {
    new BroadcastChannel('swarm-workspace').onmessage = () => { window.swarmExtensionIsUp = true; };
  });
  await page.goto(url);
  await Person.signIn(page, server.password());
  await page.waitForSelector(workbench, { timeout: 120000 });
  await page.waitForFunction(() => window.swarmExtensionIsUp === true, undefined, { timeout: 60000 });
  check(true, 'the workbench opens, and extensions run');
  const seen = await Person.typeInTerminal(page, 'echo made-in-$((40+2)) > ~/from-terminal.txt', async () => {
    const answer = await inside('cat', '/home/coder/from-terminal.txt');
    return answer.code === 0 && answer.stdout ? answer : undefined;
  });
  check(seen?.stdout === 'made-in-42\n', 'its terminal writes files', JSON.stringify(seen));
  await page.keyboard.press('Control+`');
  await page.keyboard.press('Control+p');
  await page.waitForSelector('.quick-input-widget input', { timeout: 30000 });
  await page.keyboard.type('/home/coder/from-terminal.txt');
  await page.waitForSelector('.quick-input-list .monaco-list-row:has-text("from-terminal.txt")', { timeout: 30000 });
  await page.keyboard.press('Enter');
  await page.waitForSelector('.tab.active:has-text("from-terminal.txt")', { timeout: 30000 });
  await page.click('.editor-instance .monaco-editor .view-lines');
  await page.keyboard.press('Control+Home');
  await page.keyboard.type('typed ');
  await page.keyboard.press('Control+s');
  const saved = await waitFor('the editor saves', async () => /^typed made-in-42/.test((await inside('cat', '/home/coder/from-terminal.txt')).stdout), 30);
  check(saved, 'and its editor saves them');
  await person.shot(page, 'workbench');
}

try {
  await server.start();
  const created = await server.run('create', 'web1', '--no-new-privileges', 'on', '--read-only-root', 'on');
  check(created.code === 0, 'create works', created.stderr);
  await server.learnLabel('web1');
  check(/security +no new privileges, read-only root/.test((await server.run('show', 'web1')).stdout), '`swarm show` names both');

  await work(await person.open(), created.stdout.trim());

  const sudo = await inside('sudo', 'id');
  check(sudo.code !== 0 && /no new privileges/.test(sudo.stderr), 'sudo says why it does not work', JSON.stringify(sudo));
  for (const file of ['/etc/probe', '/usr/local/bin/probe', '/opt/swarm/probe', '/home/probe']) {
    const write = await server.run('exec', 'web1', '--user', 'root', '--', 'touch', file);
    check(write.code !== 0 && /Read-only file system/.test(write.stderr), `${file} cannot be written, by root neither`, JSON.stringify(write));
  }
  for (const folder of ['/tmp', '/var/tmp', '/home/coder']) check((await inside('touch', `${folder}/probe`)).code === 0, `${folder} can be written`);
  check((await inside('sh', '-c', 'cp /bin/true /tmp/program && /tmp/program')).code === 0, 'programs in /tmp run');
  const ssh = await server.run('ssh', 'web1', '--', 'cat', '/home/coder/from-terminal.txt');
  check(ssh.code === 0 && ssh.stdout === 'typed made-in-42\n', '`swarm ssh` works', JSON.stringify(ssh));

  const restarted = await server.run('restart', 'web1');
  check(restarted.code === 0, 'VS Code responds after a restart', restarted.stderr);
  check((await inside('cat', '/home/coder/from-terminal.txt')).stdout === 'typed made-in-42\n', 'with the files');
  const updated = await server.run('update', 'web1', '--no-new-privileges', 'off', '--read-only-root', 'off', '--yes');
  check(updated.code === 0, '`swarm update` turns both off', updated.stderr);
  check((await inside('sudo', 'touch', '/etc/probe')).code === 0, 'sudo and /etc work again');
  check((await inside('cat', '/home/coder/from-terminal.txt')).stdout === 'typed made-in-42\n', 'the files are the same');
  check((await server.run('delete', 'web1', '--volumes', '--yes')).code === 0, 'delete works');
  const left = server.left();
  check(left.containers.length + left.networks.length + left.volumes.length === 0, 'nothing is left at the Engine', JSON.stringify(left));
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}

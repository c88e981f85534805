// The gateway's pages in Chromium: a workspace made, stopped and started without the command line, and a tab that says where it is and why
// it is closed.
//   node tests/e2e/workspace/pages.mjs --swarm build/dev/swarm [--modules DIR] [--screenshots DIR]
import { Person, testOptions, workbench } from './person.mjs';
import { Server, check, waitFor } from './server.mjs';

const options = testOptions();

const server = new Server(options.swarm);
const person = new Person(options);

async function listAndTab() {
  const list = await person.open();
  await list.goto(server.url);
  await Person.signIn(list, server.password());
  await list.fill('#name', 'web1');
  await list.click('text=New workspace');
  await list.waitForSelector('a:has-text("web1")');
  check(true, 'the form on the list makes a workspace');
  await server.learnLabel('web1');
  await list.waitForSelector('.status.good', { timeout: 120000 });
  check(true, 'the list shows that it runs, without a reload');
  await person.shot(list, 'list');
  await list.context().addInitScript(() => {
    new BroadcastChannel('swarm-workspace').onmessage = () => { window.swarmExtensionIsUp = true; };
  });
  const tab = await list.context().newPage();
  await tab.goto(await list.getAttribute('a:has-text("web1")', 'href'));
  await tab.waitForSelector(workbench, { timeout: 120000 });
  return { list, tab };
}

async function tabSaysWhereItIs(tab) {
  check(await waitFor('the title', async () => /web1/.test(await tab.title()), 30).catch(() => false), `its title names it (${await tab.title()})`);
  const indicator = await tab.locator('[id="status.host"]').innerText();
  check(/web1/.test(indicator), 'the remote indicator names it', indicator);
  await person.shot(tab, 'workspace');
}

const said = (tab, text) => tab.waitForSelector(`.notifications-toasts :text("${text}")`, { timeout: 60000 }).then(() => true, () => false);

async function stopAndStart(list, tab) {
  await extensionIsUp(tab);
  await list.click('[aria-label="Stop web1"]');
  await list.waitForSelector('[aria-label="Start web1"]', { timeout: 60000 });
  check(true, 'the list stops it');
  check(await said(tab, 'This workspace is stopped'), 'an open tab says that it is stopped');
  await person.shot(tab, 'stopped');
  await tab.evaluate(() => { window.swarmPageOfBefore = true; });
  await tab.click('.notifications-toasts .monaco-button:has-text("Start"), form[action="/.swarm/start"] button');
  await tab.waitForFunction(() => !window.swarmPageOfBefore, undefined, { timeout: 120000 });
  await tab.waitForSelector(workbench, { timeout: 120000 });
  check(true, 'Start in that tab starts it, and the tab continues');
  await list.click('[aria-label="Stop web1"]');
  await list.waitForSelector('[aria-label="Start web1"]', { timeout: 60000 });
  const page = await list.context().newPage();
  await page.goto(tab.url());
  await page.click('button:has-text("Start")');
  await page.waitForSelector(workbench, { timeout: 120000 });
  check(true, 'the page of a stopped workspace starts it, and goes on to VS Code');
  await page.close();
  await tab.waitForSelector(workbench, { timeout: 60000 });
  await tab.reload(); // the page that was closed has answered for it
  await tab.waitForSelector(workbench, { timeout: 60000 });
}

/// The extension says to the page's own script that it has found its server.
async function extensionIsUp(tab) { await tab.waitForFunction(() => window.swarmExtensionIsUp === true, undefined, { timeout: 60000 }); }

/// VS Code reports the lost connection 40 s after the last byte, otherwise in a dialog that covers the tab.
async function staysReadable(tab, text) {
  const reported = await tab.waitForSelector('.notifications-toasts :text("reconnect")', { timeout: 120000 }).then(() => true, () => false);
  check(reported, 'VS Code tries to reconnect');
  check(!(await tab.locator('.monaco-dialog-box').first().isVisible()), 'without a dialog that covers the tab');
  const bar = tab.locator('.statusbar-item', { hasText: text }).first();
  check(await bar.isVisible(), `which still says "${text}"`);
  await person.shot(tab, 'readable');
  await bar.click();
  check(await said(tab, 'This workspace was deleted'), 'and says so again at a click on it');
}

async function closedTabs(list, tab) {
  await extensionIsUp(tab);
  await list.click('text=Sign out');
  await list.waitForSelector('text=You are signed out');
  check(await said(tab, 'You are signed out'), 'an open tab says that it is signed out');
  await person.shot(tab, 'signed-out');
  await list.goto(server.url);
  await Person.signIn(list, server.password());
  await tab.evaluate(() => { window.swarmPageOfBefore = true; });
  await tab.click('.notifications-toasts :text("Sign in again")');
  await tab.waitForFunction(() => !window.swarmPageOfBefore, undefined, { timeout: 60000 });
  await tab.waitForSelector(workbench, { timeout: 60000 });
  check(true, 'signing in again brings it back');
  await extensionIsUp(tab);
  await server.run('delete', 'web1', '--volumes', '--yes');
  check(await said(tab, 'This workspace was deleted'), 'an open tab says that its workspace was deleted');
  await person.shot(tab, 'deleted');
  await staysReadable(tab, 'Workspace deleted');
}

try {
  await server.start();
  const { list, tab } = await listAndTab();
  await tabSaysWhereItIs(tab);
  await stopAndStart(list, tab);
  await closedTabs(list, tab);
} catch (error) {
  check(false, error.stack);
  await person.shotAll('failed');
} finally {
  await person.close();
  await server.dispose();
}

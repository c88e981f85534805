// The parts of the walk about groups and quotas.
export async function walkGroups(walk, id) {
  const member = { name: 'team', user: 'rita' };
  await walk.call('createGroup', { body: { name: 'team' } }, 201);
  await walk.call('createGroup', { body: { name: 'team' } }, 409);
  await walk.call('createGroup', { body: { name: 'The Team' } }, 400);
  await walk.call('addGroupMember', { path: member }, 200);
  await walk.call('addGroupMember', { path: { name: 'team', user: 'absent' } }, 404);
  const group = (await walk.call('getGroup', { path: member }, 200)).json;
  if (group.members.join() !== 'rita') throw new Error(`group: ${JSON.stringify(group)}`);
  await walk.call('listGroups', {}, 200);
  await walk.call('putGroupShare', { path: { id, group: 'team' }, body: {} }, 200);
  await walk.call('putGroupShare', { path: { id, group: 'absent' }, body: {} }, 400);
  const { items } = (await walk.call('listShares', { path: { id } }, 200)).json;
  if (items.length !== 1 || items[0].group !== 'team' || 'user' in items[0]) throw new Error(`shares: ${JSON.stringify(items)}`);
  await walk.call('deleteGroupShare', { path: { id, group: 'team' } }, 204);
  await walk.call('deleteGroupShare', { path: { id, group: 'team' } }, 404);
  await walk.call('removeGroupMember', { path: member }, 204);
  await walk.call('removeGroupMember', { path: member }, 404);
  await walk.call('deleteGroup', { path: member }, 204);
  await walk.call('deleteGroup', { path: member }, 404);
}

export async function walkQuotas(walk) {
  const path = { kind: 'user', name: 'rita' };
  await walk.call('setQuota', { path, body: { limits: { cpu: 8, memory: 16384 } } }, 200);
  await walk.call('setQuota', { path, body: { limits: { cpu: -1 } } }, 400);
  await walk.call('setQuota', { path: { kind: 'group', name: 'absent' }, body: { limits: { cpu: 1 } } }, 404);
  const { items } = (await walk.call('getQuota', { path }, 200)).json;
  if (items[0].limits.memory !== 16384 || items[0].quota.cpu !== 8) throw new Error(`quota: ${JSON.stringify(items)}`);
  await walk.call('getQuota', { path: { kind: 'user', name: 'absent' } }, 404);
  await walk.call('listQuotas', {}, 200);
  await walk.call('removeQuota', { path }, 204);
  await walk.call('removeQuota', { path }, 404);
}

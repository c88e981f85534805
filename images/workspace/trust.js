// In VS Code's page, before it starts (`options` are its own): the folders that a workspace is made for are trusted, whatever else a link names
// is asked about. The question is left out for exactly these paths: a folder below them may be a clone of anybody's.
const trusted = ['/home/coder', '/home/coder/project'];
const query = new URLSearchParams(location.search);
const asked = query.get('folder') ?? options.folderUri?.path ?? '';
options.enableWorkspaceTrust = query.has('workspace') || query.getAll('folder').length > 1 || !trusted.includes(asked);

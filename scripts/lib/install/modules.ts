/** Which npm packages a workspace needs when it runs, from package-lock.json. */

export interface LockEntry {
  /** A workspace: the entry in node_modules is a link to the folder `resolved`. */
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** `packages` of package-lock.json: by folder, relative to the checkout. */
export type LockPackages = Readonly<Record<string, LockEntry>>;

/** @param workspace folder of the workspace, as `agent`
 *  @returns folders in node_modules of everything it depends on, directly or not, links to workspaces among them;
 *  sorted. Optional and peer packages only where the lock has them
 *  @throws Error when a dependency is not in the lock */
export function modulesOf(packages: LockPackages, workspace: string): string[] {
  const found = new Set<string>();
  const visit = (folder: string) => {
    if (found.has(folder)) return;
    found.add(folder);
    const entry = packages[folder];
    if (entry?.link && entry.resolved !== undefined) return visit(entry.resolved);
    for (const name of Object.keys(entry?.dependencies ?? {})) {
      const dependency = resolve(packages, folder, name);
      const optional = entry?.optionalDependencies?.[name] !== undefined;
      if (dependency !== undefined) visit(dependency);
      else if (!optional) throw new Error(`package-lock.json lacks ${name}, which ${folder} needs`);
    }
    for (const name of Object.keys({ ...entry?.optionalDependencies, ...entry?.peerDependencies })) {
      const dependency = resolve(packages, folder, name);
      if (dependency !== undefined) visit(dependency);
    }
  };
  visit(workspace);
  return [...found].filter((folder) => folder.startsWith('node_modules/')).toSorted();
}

/** As Node does: in the package's own node_modules, then in those of the folders above it. */
function resolve(packages: LockPackages, folder: string, name: string): string | undefined {
  for (let place = folder; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/')))) {
    const candidate = `${place === '' ? '' : `${place}/`}node_modules/${name}`;
    if (packages[candidate]) return candidate;
    if (place === '') return undefined;
  }
}

import { Failure } from '../../kernel/failure.ts';

const IMPORT = /^import \{([^}]*)\} from '\.\/([\w-]+)\.js';$/gm;
const EXPORT = /^export (async function|function|const|let|class) (\w+)/gm;

/** The modules of the page as one module, so that a bad link carries one answer instead of one for each. They import
 *  each other by name alone, from `./`, and export what they declare.
 *  @param sources by name without its ending, those that others import first
 *  @throws Failure `bug` for a module that is written in another way */
export function bundle(sources: ReadonlyMap<string, string>): string {
  const done = new Set<string>();
  const parts = [...sources].map(([name, source]) => {
    const body = source.replaceAll(IMPORT, (_, names: string, from: string) => {
      if (!done.has(from)) throw unlike(`${name}.js imports ${from}.js, which does not stand before it`);
      return `const {${names.replaceAll(/ as /g, ': ')}} = ${variableOf(from)};`;
    });
    const exported = [...body.matchAll(EXPORT)].map(([, , word]) => word);
    const plain = body.replaceAll(EXPORT, '$1 $2');
    if (/^(?:import|export)\b/m.test(plain))
      throw unlike(`${name}.js has an import or export of another kind`);
    done.add(name);
    return `const ${variableOf(name)} = await (async () => {\n${plain}\nreturn { ${exported.join(', ')} };\n})();`;
  });
  return parts.join('\n');
}

const variableOf = (name: string) => `module_${name.replaceAll('-', '_')}`;
const unlike = (what: string) => new Failure('bug', 'dashboard.bundle', what);

import type { FileResult, TreeNode } from '../../verdict/model.ts';
import { isForemost } from '../inspect.ts';
import type { Messages } from '../messages/index.ts';
import { marks } from '../text.ts';
import { type Html, html } from './html.ts';

/** Facts told of one member, and characters of each. */
const factsANode = 6;
const charactersAFact = 160;
const problemsANode = 5;

/** What the tree is shown with. */
export interface TreeOptions {
  readonly messages: Messages['html'];
  /** Members shown, at most; those that carry a telltale or decided come first. */
  readonly limit: number;
  readonly translate: (text: string) => string;
}

/** What lies in a file, folded up; nothing when nothing lies in it. */
export function toMemberTree(file: FileResult, options: TreeOptions): Html | undefined {
  const { tree } = file;
  if (tree === null || tree.members.length === 0) return undefined;
  const carrying = new Set(file.telltales.flatMap(({ evidence }) => evidence.map(({ path }) => path)));
  const isMarked = ({ path }: TreeNode): boolean => carrying.has(path) || path === file.decidedBy;
  const leading = findLeading(tree, isMarked);
  const chosen = chooseNodes(tree, leading, options.limit);
  if (chosen.size === 0) return html`<p class="quiet">${options.messages.more(countNodes(tree) - 1)}</p>`;

  const toItem = (node: TreeNode): Html => {
    const row = toRow(node, {
      isCarrying: carrying.has(node.path),
      isDeciding: node.path === file.decidedBy,
    });
    if (node.members.length === 0) return html`<li>${row}</li>`;
    const isOpen = node === tree || node.members.some((member) => leading.has(member));
    return html`<li><details${isOpen ? html` open` : undefined}><summary>${row}</summary>${toList(node)}</details></li>`;
  };
  const toList = ({ members }: TreeNode): Html => {
    const shown = members.filter((member) => chosen.has(member));
    const missing = members
      .filter((member) => !chosen.has(member))
      .reduce((sum, member) => sum + countNodes(member), 0);
    const rest = missing === 0 ? undefined : html`<li class="quiet">${options.messages.more(missing)}</li>`;
    return html`<ul>${shown.map(toItem)}${rest}</ul>`;
  };
  const toRow = (node: TreeNode, role: Role): Html => toNodeRow(node, role, options);
  return html`<details class="tree"><summary>${options.messages.tree(countNodes(tree) - 1)}</summary><ul>${toItem(tree)}</ul></details>`;
}

interface Role {
  readonly isCarrying: boolean;
  readonly isDeciding: boolean;
}

function toNodeRow(node: TreeNode, role: Role, { messages, translate }: TreeOptions): Html {
  const facts = node.facts.filter(isForemost);
  const told = facts.slice(0, factsANode).map(({ kind, name, value }) => clip(`${name ?? kind} ${value}`));
  if (facts.length > told.length) told.push(`+ ${facts.length - told.length}`);
  const problems = node.problems.slice(0, problemsANode);
  return html`<span class="n">${node.name}</span> <span class="v ${node.verdict}">${marks[node.verdict]} ${node.verdict}</span>${
    role.isDeciding ? html` <b class="role">${messages.decided}</b>` : undefined
  }${role.isCarrying ? html` <b class="role">${messages.carries}</b>` : undefined} <span class="q">${translate(node.formatTitle)}${
    node.size === null ? '' : `, ${messages.bytes(node.size)}`
  }${told.length === 0 ? undefined : html`<br>${told.join('; ')}`}</span>${problems.map(
    ({ code, message, consequence }) =>
      html`<span class="p">${messages.problem} ${code}: ${translate(message)}; ${translate(consequence)}</span>`,
  )}${node.problems.length > problems.length ? html`<span class="p">${messages.more(node.problems.length - problems.length)}</span>` : undefined}`;
}

function clip(text: string): string {
  return text.length <= charactersAFact ? text : `${text.slice(0, charactersAFact)}…`;
}

/** The node and everything inside it. */
export function countNodes(node: TreeNode): number {
  return node.members.reduce((sum, member) => sum + countNodes(member), 1);
}

/** The marked nodes, and those around them. */
function findLeading(root: TreeNode, isMarked: (node: TreeNode) => boolean): ReadonlySet<TreeNode> {
  const leading = new Set<TreeNode>();
  const visit = (node: TreeNode): boolean => {
    let leads = isMarked(node);
    for (const member of node.members) leads = visit(member) || leads;
    if (leads) leading.add(node);
    return leads;
  };
  visit(root);
  return leading;
}

/** As many nodes as there is room for: first what leads to a marked one, then level by level. No node without its container. */
function chooseNodes(root: TreeNode, leading: ReadonlySet<TreeNode>, count: number): ReadonlySet<TreeNode> {
  const chosen = new Set<TreeNode>();
  const choose = (isWanted: (node: TreeNode) => boolean): void => {
    let level: readonly TreeNode[] = [root];
    while (level.length > 0 && chosen.size < count) {
      const wanted = level.filter(isWanted);
      for (const node of wanted) if (chosen.size < count) chosen.add(node);
      level = wanted.flatMap(({ members }) => members);
    }
  };
  choose((node) => leading.has(node));
  choose(() => true);
  return chosen;
}

/**
 * The order and nesting in which blocks of any control flow become structured
 * WebAssembly: dominators and natural loops (Cooper, Harvey and Kennedy, "A simple,
 * fast dominance algorithm", 2001; Ramsey, "Beyond Relooper", ICFP 2022).
 * Where a loop has several ways in, what is jumped back to becomes a target of
 * the root, which can go to each of its targets by number.
 */
export interface ControlFlow {
  /** Nodes that the root goes to; the first ones are those that were asked for, in their order. */
  rootTargets: readonly number[];
  /** The root's number: one more than the last node's. */
  root: number;
  /** Nodes that a node dominates immediately and to which several edges lead forward, in the order of emission. */
  merges: readonly (readonly number[])[];
  isMerge: (node: number) => boolean;
  /** An edge leads back to it from a node that it dominates. */
  isLoop: (node: number) => boolean;
  /** Its target stands before it in the order of emission. */
  isBackward: (from: number, to: number) => boolean;
  /** It has to go through the root. */
  isThroughRoot: (from: number, to: number) => boolean;
}

export function analyseFlow(successors: readonly (readonly number[])[], entries: readonly number[]): ControlFlow {
  const rootTargets = [...entries];
  for (;;) {
    const { position, dominator } = dominators(successors, rootTargets);
    const dominates = (above: number, below: number): boolean => {
      let node = below;
      while ((position[node] ?? 0) > (position[above] ?? 0)) node = dominator[node] ?? 0;
      return node === above;
    };
    const isBackward = (from: number, to: number): boolean => (position[to] ?? 0) <= (position[from] ?? 0);
    const isThroughRoot = (from: number, to: number): boolean => isBackward(from, to) && !dominates(to, from);
    const added = new Set<number>();
    successors.forEach((targets, from) => {
      for (const to of targets) if (isThroughRoot(from, to) && !rootTargets.includes(to)) added.add(to);
    });
    if (added.size === 0) return finish(successors, rootTargets, position, dominator, isBackward, isThroughRoot);
    rootTargets.push(...added);
  }
}

function finish(
  successors: readonly (readonly number[])[],
  rootTargets: readonly number[],
  position: Int32Array,
  dominator: Int32Array,
  isBackward: (from: number, to: number) => boolean,
  isThroughRoot: (from: number, to: number) => boolean,
): ControlFlow {
  const root = successors.length;
  const forward = new Int32Array(root);
  const loops = new Uint8Array(root);
  successors.forEach((targets, from) => {
    for (const to of targets) {
      if (!isBackward(from, to)) forward[to] = (forward[to] ?? 0) + 1;
      else if (!isThroughRoot(from, to)) loops[to] = 1;
    }
  });
  // A table needs a label for each of its targets.
  for (const target of rootTargets) forward[target] = (forward[target] ?? 0) + (rootTargets.length > 1 ? 2 : 1);
  const isMerge = (node: number): boolean => (forward[node] ?? 0) > 1;
  const merges: number[][] = Array.from({ length: root + 1 }, () => []);
  for (let node = 0; node < root; node++) if (isMerge(node)) merges[dominator[node] ?? root]?.push(node);
  for (const list of merges) list.sort((a, b) => (position[a] ?? 0) - (position[b] ?? 0));
  return { rootTargets, root, merges, isMerge, isLoop: (node) => loops[node] === 1, isBackward, isThroughRoot };
}

/** Positions in reverse postorder, the root's 0, and immediate dominators. All nodes are reached. */
function dominators(successors: readonly (readonly number[])[], rootTargets: readonly number[]): { position: Int32Array; dominator: Int32Array } {
  const root = successors.length;
  const of = (node: number): readonly number[] => (node === root ? rootTargets : (successors[node] ?? []));
  const seen = new Uint8Array(root + 1);
  const postorder: number[] = [];
  const stack = [root];
  const next = [0];
  seen[root] = 1;
  while (stack.length > 0) {
    const top = stack.length - 1;
    const node = stack[top] ?? root;
    const targets = of(node);
    const index = next[top] ?? 0;
    if (index === targets.length) {
      postorder.push(node);
      stack.pop();
      next.pop();
      continue;
    }
    next[top] = index + 1;
    // The last successor is visited first, so that the first one comes right behind its node.
    const target = targets[targets.length - 1 - index] ?? root;
    if (seen[target] === 1) continue;
    seen[target] = 1;
    stack.push(target);
    next.push(0);
  }
  const order = postorder.reverse();
  const position = new Int32Array(root + 1);
  order.forEach((node, i) => (position[node] = i));
  const predecessors: number[][] = Array.from({ length: root + 1 }, () => []);
  for (const node of order) for (const target of of(node)) predecessors[target]?.push(node);
  const dominator = new Int32Array(root + 1).fill(-1);
  dominator[root] = root;
  const intersect = (a: number, b: number): number => {
    while (a !== b) {
      while ((position[a] ?? 0) > (position[b] ?? 0)) a = dominator[a] ?? root;
      while ((position[b] ?? 0) > (position[a] ?? 0)) b = dominator[b] ?? root;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of order) {
      if (node === root) continue;
      let found = -1;
      for (const predecessor of predecessors[node] ?? []) {
        if ((dominator[predecessor] ?? -1) < 0) continue;
        found = found < 0 ? predecessor : intersect(found, predecessor);
      }
      if (dominator[node] !== found) {
        dominator[node] = found;
        changed = true;
      }
    }
  }
  return { position, dominator };
}

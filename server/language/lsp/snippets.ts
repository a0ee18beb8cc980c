/** A whole statement, offered with the word that begins it; `${1|a,b|}` is a choice. */
export interface Snippet {
  label: string;
  text: string;
}

const flip = (target: string): string => `flip \${1:a0} bit \${2:17} ${target} at \${4:instruction 1_000}`;
const replica = 'in replica ${3|B,A,C|}';

/** By the word that begins them. `chip` and `guest` are declarations here, not their use in a scenario. */
export const snippets: Readonly<Record<string, readonly Snippet[]>> = {
  import: [{ label: 'import …', text: 'import "${1:boards/common.covert}"' }],
  scenario: [
    {
      label: 'scenario …',
      text: 'scenario "${1:name}" {\n  guest ${2:guest}\n  protect ${3|dmr,tmr,none|}\n\n  fault flip ${4:a0} bit ${5:17} in replica ${6|B,A|} at ${7:main}\n\n  expect detected\n  expect recovered\n  expect no corruption\n}',
    },
  ],
  campaign: [
    {
      label: 'campaign …',
      text: 'campaign "${1:name}" {\n  guest ${2:guest}\n  protect ${3|dmr,tmr,none|}\n  inject ${4:1_000} faults seed ${5:1} {\n    flip 1 random bit of ${6:x1..x31} in replica ${7|B,A|} at any instruction\n  }\n  expect coverage >= ${8:99} % confidence ${9:95} %\n}',
    },
  ],
  guest: [
    { label: 'guest …', text: 'guest ${1:name} {\n  elf "${2:guest.elf}"\n  ram ${3:16} MiB\n}' },
    { label: 'guest … Linux', text: 'guest ${1:name} {\n  linux debian\n  run "${2:/usr/bin/uname}" "${3:-a}"\n}' },
  ],
  chip: [{ label: 'chip …', text: 'chip ${1:name} {\n  cores ${2:8} at ${3:2} GHz\n  l2 ${4:8} banks of ${5:512} KiB\n  memory ${6:4} controllers\n  ring\n}' }],
  timing: [{ label: 'timing detailed …', text: 'timing detailed {\n  l1i ${1:32} KiB ${2:8} ways\n  l1d ${3:32} KiB ${4:8} ways\n}' }],
  protect: [
    {
      label: 'protect …',
      text: 'protect ${1|dmr,tmr|} on core ${2:0}, core ${3:1} {\n  isolation ${4|full,caches,memory,none|}\n  epoch ${5:100_000} instructions\n  checkpoint every ${6:16} epochs\n}',
    },
  ],
  switch: [{ label: 'switch …', text: 'switch to ${1|none,dmr,tmr|} at ${2:200} ${3|us,ms,instructions,epochs|}' }],
  beside: [{ label: 'beside …', text: 'beside guest ${1:guest} {\n  protect none on core ${2:2}\n  expect no corruption\n}' }],
  fault: [
    { label: 'fault …', text: `fault ${flip(replica)}` },
    { label: 'fault … memory', text: `fault flip memory[&\${1:variable}].\${2|w,b,h,d|} bit \${4:3} ${replica} at \${5:main}` },
    { label: 'fault … stick', text: 'fault stick ${1:alu} bit ${2:5} at ${3|1,0|} on core ${4:1} from ${5:2} ${6|ms,us|} for ${7:100} ${8|us,ms|}' },
    { label: 'fault … kill', text: 'fault ${1|kill,hang|} core ${2:1} at ${3:2} ${4|ms,us|}' },
    { label: 'fault … fail', text: 'fault fail ${1|l2 bank,memory controller|} ${2:0} at ${3:2} ${4|ms,us|}' },
  ],
  expect: [
    { label: 'expect detected …', text: 'expect detected by ${1|output,state,watchdog,trap,vote|} within ${2:2} epochs' },
    { label: 'expect recovered …', text: 'expect recovered by ${1|rollback,failover,vote|}' },
    { label: 'expect output …', text: 'expect output ${1|contains,is|} "${2:text}"' },
  ],
  overhead: [{ label: 'overhead < …', text: 'overhead < ${1:20} %' }],
  coverage: [{ label: 'coverage >= …', text: 'coverage >= ${1:99} % confidence ${2:95} %' }],
  forward: [{ label: 'forward …', text: 'forward ${1|tcp,udp|} 127.0.0.1:${2:8080} to ${3:80}' }],
  inject: [{ label: 'inject …', text: 'inject ${1:1_000} faults seed ${2:1} {\n  flip 1 random bit of ${3:x1..x31} in replica ${4|B,A|} at any instruction\n}' }],
};

/** What goes on with a statement from some word of it on, by the rule that reads it and what of it comes next. */
export const continuations: Readonly<Record<string, Snippet>> = {
  'Forward protocol': { label: 'tcp 127.0.0.1:8080 to 80', text: '${1|tcp,udp|} 127.0.0.1:${2:8080} to ${3:80}' },
  'Forward address': { label: '127.0.0.1:8080 to 80', text: '127.0.0.1:${1:8080} to ${2:80}' },
  'Forward port': { label: '8080 to 80', text: '${1:8080} to ${2:80}' },
};

import { html } from './html.ts';

/*
 * The script of the page: it hides, shows and folds what is there, and writes nothing but its own labels. It makes no
 * HTML out of text, loads nothing and keeps nothing.
 */
export const scanScript = html`
'use strict';
(() => {
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = document.documentElement;
  const search = one('#search');
  const shown = one('#shown');
  const none = one('#none');
  const filters = { word: new Set(), strengths: new Set(), states: new Set() };
  // Groups out of sight are not laid out, so that their cards cost nothing; each is told how high it will be.
  const groups = all('.group').map((element) => ({ element, count: 0 }));
  const files = groups.flatMap((group) => all('.file', group.element).map((card) => ({
    card,
    group,
    isShown: true,
    text: undefined,
    word: [card.dataset.word],
    strengths: card.dataset.strengths.split(' '),
    states: card.dataset.states.split(' '),
  })));

  // What is searched: names and findings, not the labels around them. One file at a time, while nothing else happens.
  const searched = '.path, .headline, .n, .telltale strong, .telltale code, .place p, .telltale .hex, dd';
  const read = (file) => {
    if (file.text === undefined) {
      file.text = all(searched, file.card).map((element) => element.textContent).join('\\n').toLowerCase();
    }
    return file.text;
  };
  const whenIdle = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 10 }), 20));
  let next = 0;
  const prepare = (deadline) => {
    do {
      if (next >= files.length) {
        root.dataset.ready = 'yes';
        return;
      }
      read(files[next]);
      next += 1;
    } while (deadline.timeRemaining() > 1);
    whenIdle(prepare);
  };

  const meets = (file, tokens) =>
    Object.entries(filters).every(([group, wanted]) => wanted.size === 0 || file[group].some((value) => wanted.has(value)))
    && (tokens.length === 0 || tokens.every((token) => read(file).includes(token)));

  const apply = () => {
    const tokens = search.value.toLowerCase().split(/\\s+/).filter((token) => token !== '');
    let count = 0;
    for (const group of groups) group.count = 0;
    for (const file of files) {
      const isShown = meets(file, tokens);
      if (isShown) {
        count += 1;
        file.group.count += 1;
      }
      if (file.isShown !== isShown) file.card.classList.toggle('out', !isShown);
      file.isShown = isShown;
    }
    for (const { element, count: inside } of groups) {
      element.classList.toggle('out', inside === 0);
      element.style.containIntrinsicHeight = (inside * 8) + 'rem';
    }
    shown.textContent = shown.dataset.text.replace('{0}', count).replace('{1}', files.length);
    none.hidden = count > 0 || files.length === 0;
  };

  const switches = all('[data-group]').map((item) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', 'false');
    button.append(...item.childNodes);
    item.append(button);
    item.classList.add('switch');
    button.addEventListener('click', () => {
      const wanted = filters[item.dataset.group];
      const isOn = !wanted.has(item.dataset.value);
      if (isOn) wanted.add(item.dataset.value);
      else wanted.delete(item.dataset.value);
      button.setAttribute('aria-pressed', String(isOn));
      apply();
    });
    return button;
  });

  const clear = () => {
    search.value = '';
    for (const wanted of Object.values(filters)) wanted.clear();
    for (const button of switches) button.setAttribute('aria-pressed', 'false');
    apply();
  };
  for (const button of all('.clear')) {
    button.addEventListener('click', () => {
      clear();
      search.focus();
    });
  }

  const fold = (isOpen) => {
    for (const { card, isShown } of files) {
      if (!isShown) continue;
      for (const part of all('details', card)) part.open = isOpen;
    }
  };
  one('#expand').addEventListener('click', () => fold(true));
  one('#collapse').addEventListener('click', () => fold(false));

  const themes = ['auto', 'light', 'dark'];
  const theme = one('#theme');
  theme.addEventListener('click', () => {
    const chosen = themes[(themes.indexOf(root.dataset.theme ?? 'auto') + 1) % themes.length];
    root.dataset.theme = chosen;
    theme.textContent = theme.dataset[chosen];
  });

  // A link to a file leads there whatever is filtered or folded up.
  const follow = () => {
    const card = document.getElementById(location.hash.slice(1));
    if (card === null || !card.classList.contains('file')) return;
    if (card.classList.contains('out')) clear();
    one('details', card).open = true;
    card.scrollIntoView();
    card.focus({ preventScroll: true });
  };
  window.addEventListener('hashchange', follow);

  search.addEventListener('input', apply);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && document.activeElement !== search && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === 'Escape' && document.activeElement === search) {
      search.value = '';
      apply();
    }
  });

  one('#controls').hidden = false;
  // A browser may have kept what was typed before the page was opened again.
  apply();
  follow();
  whenIdle(prepare);
})();
`;

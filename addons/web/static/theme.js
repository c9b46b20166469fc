// The theme: what the system says, unless a person has chosen. Not a module: it runs before the first paint.
(() => {
  "use strict";
  const KEY = "patchbay-theme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };

  /** The choice that was kept; "auto" where none was, or where the browser keeps nothing. */
  function chosen() {
    try {
      const kept = localStorage.getItem(KEY);
      return kept in NEXT ? kept : "auto";
    } catch {
      return "auto";
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // A browser that keeps nothing still shows the choice until it is closed.
    }
  }

  let theme = chosen();

  function show() {
    document.documentElement.dataset.theme = theme;
    const button = document.querySelector("button.theme");
    if (button) {
      button.textContent = `Theme: ${theme}`;
      button.title = `Change to ${NEXT[theme]}`;
    }
  }

  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.querySelector("button.theme").addEventListener("click", () => {
      theme = NEXT[theme];
      keep(theme);
      show();
    });
  });
})();

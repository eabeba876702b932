// Sets the theme before the first paint. A file of its own because the page's policy allows no inline script.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem('openpact-theme');
  } catch {
    // Storage can be switched off; the system's theme is used then.
    choice = null;
  }
  var dark =
    choice === 'dark' || (choice !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();

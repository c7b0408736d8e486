// Before anything is drawn: the theme that was chosen here the last time, so that no page flashes in the other one.
"use strict";
{
  const chosen = localStorage.getItem("freshet-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}

// Keeps a page up to date: the server sends parts of it as HTML, and only what differs is changed, so that focus,
// selection and scrolling stay. It stops while nobody looks.
"use strict";

const live = document.body.dataset.live;
let source = null;

function connect() {
  if (!live || source || document.hidden) return;
  source = new EventSource(live);
  source.addEventListener("parts", (event) => {
    lost(false);
    const { names, changed } = JSON.parse(event.data);
    for (const [name, html] of Object.entries(changed)) show(name, html);
    for (const part of document.querySelectorAll(".part")) {
      if (!names.includes(part.id.slice("part-".length))) part.remove();
    }
  });
  source.onerror = () => {
    lost(true);
    if (source && source.readyState === EventSource.CLOSED) {
      // refused: the token has changed, or too many pages are open
      source = null;
      setTimeout(connect, 5000);
    }
  };
}

function disconnect() {
  if (source) source.close();
  source = null;
}

function lost(is) {
  const note = document.getElementById("lost");
  if (note && note.hidden === is) note.hidden = !is;
}

function show(name, html) {
  let part = document.getElementById(`part-${name}`);
  if (!part) {
    part = document.createElement("div");
    part.className = "part";
    part.id = `part-${name}`;
    document.getElementById("main").insertBefore(part, document.getElementById("lost"));
  }
  const now = document.createElement("template");
  now.innerHTML = html;
  children(part, now.content);
}

function children(old, now) {
  const wanted = [...now.childNodes];
  wanted.forEach((node, place) => {
    const there = old.childNodes[place];
    if (!there) old.append(node);
    else if (!same(there, node)) there.replaceWith(node);
  });
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

// Make one node like another; false if it has to be replaced.
function same(old, now) {
  if (old.nodeType !== now.nodeType || old.nodeName !== now.nodeName) return false;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data;
    return true;
  }
  for (const { name, value } of [...now.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  children(old, now);
  return true;
}

document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", connect);
connect();

// A click on behalf of a user: sent without leaving the page, which shows by itself what comes of it.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-quiet]")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) form.submit();
  } finally {
    button.disabled = false;
  }
});

// What a chart says at the place of the pointer.
document.addEventListener("pointermove", (event) => {
  const plot = event.target.closest ? event.target.closest(".plot") : null;
  for (const other of document.querySelectorAll(".cursor:not([hidden])")) {
    if (!plot || !plot.contains(other)) other.hidden = true;
  }
  if (!plot) return;
  const { at, rows } = JSON.parse(plot.closest(".chart").dataset.points);
  if (at.length === 0) return;
  const box = plot.getBoundingClientRect();
  const place = Math.round(((event.clientX - box.left) / box.width) * (at.length - 1));
  const index = Math.min(Math.max(place, 0), at.length - 1);
  const cursor = plot.querySelector(".cursor");
  cursor.textContent = [at[index], ...rows.map(([name, values]) => `${name} ${values[index]}`)].join("  ·  ");
  cursor.classList.toggle("left", index > at.length / 2);
  cursor.hidden = false;
});

const theme = document.getElementById("theme");
if (theme) {
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (dark ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
    localStorage.setItem("freshet-theme", root.dataset.theme);
  });
}

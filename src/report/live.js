"use strict";
// The line's page as it changes: each event is the page's new middle, made by the station. Only
// what differs is changed in place, so that the keyboard's focus, a selection and a screen reader
// stay where they are.
const line = document.getElementById("line");
const gone = document.getElementById("gone");
const update = (now, next) => {
  const [old, wanted] = [[...now.childNodes], [...next.childNodes]];
  wanted.forEach((node, index) => {
    const there = old[index];
    if (!there) now.append(node);
    else if (there.isEqualNode(node)) return;
    else if (there.nodeName !== node.nodeName || !node.attributes) there.replaceWith(node);
    else {
      for (const { name } of [...there.attributes]) if (!node.hasAttribute(name)) there.removeAttribute(name);
      for (const { name, value } of node.attributes) there.setAttribute(name, value);
      update(there, node);
    }
  });
  old.slice(wanted.length).forEach((node) => node.remove());
};
const events = new EventSource("/events");
events.addEventListener("line", (event) => {
  const next = document.createElement("template");
  next.innerHTML = event.data;
  update(line, next.content);
  gone.hidden = true;
});
events.addEventListener("error", () => { gone.hidden = false; });
events.addEventListener("open", () => { gone.hidden = true; });

"use strict";
// The fleet's page as it changes: its middle is asked for again a while after each answer.
const middle = document.getElementById("fleet");
const gone = document.getElementById("gone");
const pause = 5000;
async function again() {
  try {
    const answer = await fetch("/live", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    middle.innerHTML = await answer.text();
    gone.hidden = true;
  } catch {
    gone.hidden = false;
  }
  setTimeout(again, pause);
}
setTimeout(again, pause);

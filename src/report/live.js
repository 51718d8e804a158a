"use strict";
// The line's page as it changes: each event is the page's new middle, made by the station.
const line = document.getElementById("line");
const gone = document.getElementById("gone");
const events = new EventSource("/events");
events.addEventListener("line", (event) => {
  line.innerHTML = event.data;
  gone.hidden = true;
});
events.addEventListener("error", () => { gone.hidden = false; });
events.addEventListener("open", () => { gone.hidden = true; });

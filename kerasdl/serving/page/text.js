"use strict";

const state = document.getElementById("state");
const list = document.getElementById("list");
const box = document.getElementById("text");
let model = null;

fetch("model")
  .then((response) => response.json())
  .then((found) => {
    model = found;
    document.title = model.name;
    document.getElementById("name").textContent = model.name;
    document.getElementById("about").textContent =
      model.class_names.length
        ? `Says which of ${model.class_names.join(", ")} a text is`
        : "Translates a text";
  })
  .catch(() => {}); // the first text tells that the server is away

async function ask(text) {
  state.textContent = "The text is on its way";
  list.replaceChildren();
  try {
    if (!model) model = await (await fetch("model")).json();
    const response = await fetch(`v1/models/${model.name}:predict`, {
      method: "POST",
      body: JSON.stringify({ instances: [text] }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    const found = answer.predictions[0];
    state.textContent =
      found.translation ??
      `${found.label}, ${(100 * found.probability).toFixed(1)} %`;
    for (const name of model.class_names) {
      const line = document.createElement("li");
      line.textContent = `${name}: ${found.probabilities[name].toFixed(4)}`;
      list.append(line);
    }
  } catch (error) {
    state.textContent = error.message;
  }
}

document.getElementById("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask(box.value);
});

"use strict";

const state = document.getElementById("state");
const save = document.getElementById("save");
const files = document.getElementById("files");

fetch("model")
  .then((response) => response.json())
  .then((model) => {
    document.title = model.name;
    document.getElementById("name").textContent = model.name;
    document.getElementById("about").textContent =
      `Predicts ${model.target} from ${model.columns.join(", ")}`;
  })
  .catch(() => {}); // the first file tells that the server is away

async function ask(file) {
  save.hidden = true;
  state.textContent = `${file.name} is on its way`;
  const form = new FormData();
  form.append("file", file);
  try {
    const response = await fetch("predict", { method: "POST", body: form });
    if (!response.ok) throw new Error((await response.json()).error);
    const answer = await response.blob();
    if (save.href) URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(answer);
    save.download = file.name.replace(/(\.csv)?$/i, ".predicted.csv");
    save.hidden = false;
    state.textContent = `${file.name} is answered`;
  } catch (error) {
    state.textContent = `${file.name}: ${error.message}`;
  }
}

files.addEventListener("change", () => {
  if (files.files.length) ask(files.files[0]);
  files.value = "";
});

// A photo's answers by both files of an export, in the page itself.
let ort, litert; // what npm installs

const [chosen, state, canvas, table] = ["photo", "state", "seen", "answers"].map(
  (id) => document.getElementById(id),
);

// A browser asks whether it has changed: files of two exports do not go together.
async function fetched(file) {
  const answer = await fetch(file, { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${file} is missing: copy it beside this page`);
  return answer;
}

async function imported(name) {
  try {
    return await import(name);
  } catch (error) {
    throw new Error(`${name} is missing: run npm install beside this page`, { cause: error });
  }
}

// The photo at the model's size, as the run's own photos were fitted to it.
async function pixelsOf(file, height, width, resize) {
  const photo = await createImageBitmap(file, { colorSpaceConversion: "none" });
  const scales = [width / photo.width, height / photo.height];
  const scale = resize === "pad" ? Math.min(...scales) : Math.max(...scales);
  const [drawnWidth, drawnHeight] =
    resize === "squash" ? [width, height] : [photo.width * scale, photo.height * scale];
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(
    photo,
    (width - drawnWidth) / 2,
    (height - drawnHeight) / 2,
    drawnWidth,
    drawnHeight,
  );
  const rgba = context.getImageData(0, 0, width, height).data;
  return Uint8Array.from(rgba.filter((_, place) => place % 4 !== 3));
}

async function byOnnx(session, pixels, shape) {
  const input = new ort.Tensor("uint8", pixels, shape);
  const outputs = await session.run({ [session.inputNames[0]]: input });
  return outputs[session.outputNames[0]].data;
}

async function byLite(model, pixels, shape) {
  const input = new litert.Tensor(pixels, shape);
  const [output] = await model.run([input]);
  const probabilities = Float32Array.from(await output.data());
  // LiteRT.js frees no memory by itself.
  for (const tensor of [input, output]) tensor.delete();
  return probabilities;
}

// Of two classes a model may have one output: that of the second.
function ofAll(labels, outputs) {
  const isOne = outputs.length === 1 && labels.length === 2;
  return isOne ? [1 - outputs[0], outputs[0]] : outputs;
}

function show(labels, columns) {
  const rows = labels.map((label, row) => {
    const shown = [label, ...columns.map((column) => column[row].toFixed(6))];
    const line = document.createElement("tr");
    line.append(...shown.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return line;
  });
  table.tBodies[0].replaceChildren(...rows);
  table.hidden = canvas.hidden = false;
}

async function start() {
  [ort, litert] = await Promise.all(["onnxruntime-web", "@litertjs/core"].map(imported));
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
  const [onnx, lite, names, fit] = await Promise.all(
    ["model.onnx", "model.tflite", "labels.txt", "resize.json"].map(fetched),
  );
  const { resize } = await fit.json();
  const session = await ort.InferenceSession.create(await onnx.arrayBuffer());
  await litert.loadLiteRt("node_modules/@litertjs/core/wasm/");
  const model = await litert.loadAndCompile(new Uint8Array(await lite.arrayBuffer()), {
    accelerator: "wasm",
  });
  const shape = [...model.getInputDetails()[0].shape];
  const labels = (await names.text()).trimEnd().split("\n");
  const answer = async (file) => {
    const pixels = await pixelsOf(file, shape[1], shape[2], resize);
    const columns = [
      await byOnnx(session, pixels, shape),
      await byLite(model, pixels, shape),
    ];
    return columns.map((outputs) => ofAll(labels, outputs));
  };
  // One after the other, as they share the canvas and the models; only the last is shown.
  let [last, done] = [0, Promise.resolve()];
  chosen.addEventListener("change", () => {
    const [file] = chosen.files;
    const place = ++last;
    table.hidden = canvas.hidden = true;
    state.textContent = file ? `${file.name} is being answered.` : "Choose a photo.";
    done = done.then(async () => {
      if (!file || place !== last) return;
      try {
        const columns = await answer(file);
        if (place !== last) return;
        show(labels, columns);
        state.textContent = file.name;
      } catch (error) {
        if (place === last) state.textContent = `${file.name}: ${error.message}`;
      }
    });
  });
  chosen.disabled = false;
  state.textContent = "Choose a photo.";
}

start().catch((error) => {
  state.textContent = error.message;
});

// Runs an ONNX file in ONNX Runtime and compares its outputs with tensors of a .safetensors file.
//
//   node check_onnx.cjs MODEL.onnx INPUTS.safetensors EXPECTED.safetensors [TOLERANCE]
//
// Exit code 0 when every expected tensor is an output of the model of that shape and differs by at
// most TOLERANCE (1e-4) anywhere; else 1 and a line on stderr for each that does not.
'use strict';
const ort = require('onnxruntime-node');
const safetensors = require('./safetensors.cjs');

function difference(name, got, wanted) {
  if (JSON.stringify(got.dims) !== JSON.stringify(wanted.shape)) {
    throw new Error(`${name}: shape [${got.dims}], expected [${wanted.shape}]`);
  }
  let largest = 0;
  for (let i = 0; i < wanted.data.length; ++i) {
    const d = Math.abs(got.data[i] - wanted.data[i]);
    if (!(d <= largest)) largest = d;  // NaN stays
  }
  return largest;
}

async function main([model, inputs, expected, limit]) {
  const tolerance = limit === undefined ? 1e-4 : Number(limit);
  const session = await ort.InferenceSession.create(model, {intraOpNumThreads: 2});
  const given = safetensors.read(inputs);
  const feeds = {};
  for (const name of session.inputNames) {
    if (!given[name]) throw new Error(`no input '${name}' in ${inputs}`);
    feeds[name] = new ort.Tensor('float32', given[name].data, given[name].shape);
  }
  const outputs = await session.run(feeds);
  let wrong = 0;
  for (const [name, wanted] of Object.entries(safetensors.read(expected))) {
    if (!outputs[name]) throw new Error(`the model has no output '${name}'`);
    const largest = difference(name, outputs[name], wanted);
    const fits = largest <= tolerance;
    console.log(`${name}: largest difference ${largest.toExponential(2)}` +
                (fits ? '' : ' TOO LARGE'));
    if (!fits) ++wrong;
  }
  if (wrong > 0) throw new Error(`${wrong} outputs of ${model} differ by more than ${tolerance}`);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});

// ONNX Runtime as a worker of peers.py (see there for what it is asked).
//
//   node worker_ort.cjs MODEL.onnx INPUTS.safetensors THREADS
'use strict';
const readline = require('readline');
const ort = require('onnxruntime-node');
const safetensors = require('./safetensors.cjs');

async function main([model, inputs, threads]) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
  });
  const given = safetensors.read(inputs);
  const feeds = {};
  for (const name of session.inputNames) {
    feeds[name] = new ort.Tensor('float32', given[name].data, given[name].shape);
  }
  console.log('ready ' + ort.env.versions.node);
  for await (const line of readline.createInterface({input: process.stdin})) {
    if (line === 'logits') {
      const {logits} = await session.run(feeds);
      console.log(Array.from(logits.data).join(' '));
    } else if (line === 'run') {
      const begin = process.hrtime.bigint();
      await session.run(feeds);
      console.log(String(Number(process.hrtime.bigint() - begin) / 1e6));
    } else {
      throw new Error(`not asked before: '${line}'`);
    }
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error.message);
  process.exit(1);
});

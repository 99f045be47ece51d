// Reads the f32, f64, i64 and u8 tensors of a .safetensors file.
'use strict';
const fs = require('fs');

const KINDS = {F32: Float32Array, F64: Float64Array, I64: BigInt64Array, U8: Uint8Array};

// -> {name: {shape: [...], data: TypedArray}}
function read(path) {
  const bytes = fs.readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > bytes.length - 8) throw new Error(`${path}: no .safetensors file`);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  const tensors = {};
  for (const [name, {dtype, shape, data_offsets: [begin, end]}] of Object.entries(header)
           .filter(([key]) => key !== '__metadata__')) {
    if (!KINDS[dtype]) throw new Error(`${path}: ${name} is ${dtype}`);
    // A copy: typed arrays want aligned bytes.
    const copy = new Uint8Array(bytes.subarray(8 + length + begin, 8 + length + end));
    tensors[name] = {shape, data: new KINDS[dtype](copy.buffer)};
  }
  return tensors;
}

module.exports = {read};

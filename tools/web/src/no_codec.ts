// Stands for the compression codecs of Zarr, which niivue can read and this page does not. They are WebAssembly, twice
// the size of all the rest, and a page without them needs no 'wasm-unsafe-eval' in its Content-Security-Policy.
const no_codec: { codecId: string; fromConfig: () => never } = {
  codecId: 'none',
  fromConfig: () => {
    throw new Error('this page reads NIfTI, not Zarr')
  },
}
export default no_codec

/**
 * Two builds: `studio` → dist/studio (a page on loopback, scripts/start.mjs) and `express` → dist/express (the Adobe
 * Express add-on, scripts/build.mjs). Pick one with `webpack --config-name NAME`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import CopyPlugin from 'copy-webpack-plugin';
import HtmlWebpackPlugin from 'html-webpack-plugin';

const root = path.dirname(fileURLToPath(import.meta.url));
const from = (...parts) => path.join(root, ...parts);

/** The world-model package of the builds: a folder, by default models/maze-64. */
const model = path.resolve(root, process.env.LONGTAKE_MODEL ?? 'models/maze-64');
const modelJson = path.join(model, 'model.json');
const modelName = existsSync(modelJson)
  ? JSON.parse(readFileSync(modelJson, 'utf8')).name
  : path.basename(model);

/** The small file in which a page looks up where its model is. */
const modelConfig = () => ({
  from: 'package.json',
  to: 'longtake.config.json',
  transform: () => JSON.stringify({ model: `models/${modelName}/` }),
});

/** What both builds share: TypeScript through esbuild, kernels as text, WASM as files, ES modules out. */
const base = (name) => ({
  name,
  mode: process.env.NODE_ENV === 'development' ? 'development' : 'production',
  context: root,
  target: ['web', 'es2022'],
  devtool: false,
  experiments: { outputModule: true },
  output: {
    path: from('dist', name),
    module: true,
    filename: '[name].js',
    chunkFilename: '[name].js',
    assetModuleFilename: 'assets/[name][ext]',
    publicPath: 'auto',
    clean: true,
  },
  resolve: {
    // Engine code picks its browser parts through this condition; `node` never applies here.
    conditionNames: ['browser', 'import', 'module', 'default'],
  },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: 'esbuild-loader',
        options: { target: 'es2022', tsconfig: from('tsconfig.json') },
      },
      { test: /\.wgsl$/, type: 'asset/source' },
      { test: /\.wasm$/, type: 'asset/resource' },
    ],
  },
  performance: { hints: false },
  stats: 'errors-warnings',
});

const studio = {
  ...base('studio'),
  entry: { studio: './src/studio/index.ts' },
  plugins: [
    new HtmlWebpackPlugin({ template: './src/studio/index.html', scriptLoading: 'module', inject: 'head' }),
    // The model itself stays in its folder: scripts/start.mjs serves it from there.
    new CopyPlugin({ patterns: [modelConfig()] }),
  ],
};

const express = {
  ...base('express'),
  entry: { index: './src/panel/index.ts' },
  plugins: [
    new HtmlWebpackPlugin({ template: './src/panel/index.html', scriptLoading: 'module', inject: 'head' }),
    new CopyPlugin({
      patterns: [
        { from: '{manifest.json,LICENSE,THIRD_PARTY.md}' },
        { from: model, to: `models/${modelName}` },
        modelConfig(),
      ],
    }),
  ],
};

export default [studio, express];

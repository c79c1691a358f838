'use strict';

const { join } = require('node:path');

/**
 * Replaces a function of a built module, for all that load the module afterwards.
 * @param file under dist/.
 */
exports.patch = (file, name, replace) => {
  const loaded = require(join(__dirname, '../../../dist', file));
  const original = loaded[name];
  if (typeof original !== 'function') {
    throw new Error(`dist/${file} exports no function ${name} any more: this break must follow it.`);
  }
  loaded[name] = replace(original);
  if (loaded[name] === original) throw new Error(`dist/${file} keeps its ${name}: this break must find another way.`);
};

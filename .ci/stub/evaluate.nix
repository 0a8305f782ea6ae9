# Evaluates every output of the flake against the stub and checks its shape.
{ source }:
let
  flake = import (source + "/flake.nix");
  self = outputs // { outPath = toString source; shortRev = "0123456"; };
  outputs = flake.outputs { inherit self; nixpkgs = import ./nixpkgs.nix; };
  inherit (builtins) attrNames all deepSeq isString concatStringsSep;
  isDerivation = d: (d.type or "") == "derivation" && isString d.outPath;
  perSystem = f: all (system: f system) [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ];
  require = what: ok: if ok then what else throw "flake.nix: ${what}: not so";
in
concatStringsSep "\n" [
  (require "inputs: nixpkgs alone" (attrNames flake.inputs == [ "nixpkgs" ]))
  (require "packages.default is unitgen" (perSystem (s: isDerivation outputs.packages.${s}.default && outputs.packages.${s}.default.pname == "unitgen")))
  (require "apps.default runs unitgen" (perSystem (s: outputs.apps.${s}.default.type == "app" && builtins.match ".*/bin/unitgen" outputs.apps.${s}.default.program != null)))
  (require "devShells.default is a shell" (perSystem (s: isDerivation outputs.devShells.${s}.default && deepSeq outputs.devShells.${s}.default.packages true)))
  (require "every check is a derivation" (perSystem (s: all (c: isDerivation outputs.checks.${s}.${c}) (attrNames outputs.checks.${s}))))
  (require "the formatter is a derivation" (perSystem (s: isDerivation outputs.formatter.${s})))
]

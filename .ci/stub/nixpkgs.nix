# As much of nixpkgs as flake.nix names, for evaluating it where nothing can be
# fetched. A "derivation" here is a set with the attributes it was made of.
let
  genAttrs = names: f: builtins.listToAttrs (map (name: { inherit name; value = f name; }) names);

  derivationOf = kind: attrs: attrs // {
    type = "derivation";
    inherit kind;
    outPath = "/nix/store/00000000000000000000000000000000-${attrs.pname or attrs.name or kind}";
    overrideAttrs = f: derivationOf kind (attrs // f attrs);
  };

  known = [ "pname" "version" "src" "vendorHash" "subPackages" "env" "ldflags" "doCheck" "checkPhase" "meta" ];

  packagesFor = system: {
    inherit system lib;
    buildGoModule = attrs:
      let unknown = builtins.filter (n: !(builtins.elem n known)) (builtins.attrNames attrs);
      in
      if unknown != [ ] then throw "buildGoModule: unknown ${builtins.toString unknown}"
      else if builtins.match "sha256-[A-Za-z0-9+/]{43}=" attrs.vendorHash == null then throw "vendorHash is no SRI hash"
      else derivationOf "go-module" attrs;
    mkShell = derivationOf "shell";
    runCommand = name: env: script: derivationOf "command" (env // { inherit name script; });
    go = derivationOf "package" { name = "go"; };
    go-tools = derivationOf "package" { name = "go-tools"; };
    gopls = derivationOf "package" { name = "gopls"; };
    nixpkgs-fmt = derivationOf "package" { name = "nixpkgs-fmt"; };
  };

  lib = {
    inherit genAttrs;
    licenses.asl20 = { spdxId = "Apache-2.0"; };
  };
in
{
  inherit lib;
  legacyPackages = genAttrs [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ] packagesFor;
}

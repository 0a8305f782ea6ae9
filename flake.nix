{
  description = "Declare services in HCL, compile them to systemd units, switch generations atomically";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ];
      forAll = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      version = "0.1.0-${self.shortRev or "dirty"}";

      unitgenFor = pkgs: pkgs.buildGoModule {
        pname = "unitgen";
        inherit version;
        src = self;
        # The hash of what `go mod vendor` makes. It changes with go.sum and
        # with the set of imported packages; `.ci/vendor-hash --write` renews it.
        vendorHash = "sha256-C+3e9X07PHciB70tBhUFuDRQRurWCkORJLh6qNuIfsM=";
        subPackages = [ "cmd/unitgen" ];
        env.CGO_ENABLED = 0;
        ldflags = [ "-s" "-w" ];
        # The tests want systemd's tools, root and the network's loopback; they
        # run in checks.test and in .ci/run.
        doCheck = false;
        meta = {
          description = "Service configuration in HCL, compiled to systemd units";
          license = pkgs.lib.licenses.asl20;
          mainProgram = "unitgen";
        };
      };
    in
    {
      packages = forAll (pkgs: rec {
        unitgen = unitgenFor pkgs;
        default = unitgen;
      });

      apps = forAll (pkgs: rec {
        unitgen = {
          type = "app";
          program = "${unitgenFor pkgs}/bin/unitgen";
        };
        default = unitgen;
      });

      devShells = forAll (pkgs: {
        default = pkgs.mkShell {
          packages = [ pkgs.go pkgs.go-tools pkgs.gopls ];
          env.CGO_ENABLED = 0;
        };
      });

      checks = forAll (pkgs: {
        build = unitgenFor pkgs;
        # What needs no root, no systemd and no network.
        test = (unitgenFor pkgs).overrideAttrs (_: {
          doCheck = true;
          checkPhase = ''
            runHook preCheck
            go test ./schema/... ./compile/... ./emit/... ./internal/archtest
            runHook postCheck
          '';
        });
        # The example compiles with the package that was built.
        examples = pkgs.runCommand "unitgen-examples" { } ''
          ${unitgenFor pkgs}/bin/unitgen build ${self}/examples/hello --state "$TMPDIR/state" --out "$out"
        '';
      });

      formatter = forAll (pkgs: pkgs.nixpkgs-fmt);
    };
}

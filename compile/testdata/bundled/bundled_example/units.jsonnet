local lib = import 'lib/units.libsonnet';
function(input) {
  units: {
    ['bundled-' + n + '.service']: lib.unit(n, importstr 'data.txt') {
      [if input.fail then 'Nice']: 'very',
    } for n in input.names
  },
}

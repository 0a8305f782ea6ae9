package funcs

import "github.com/zclconf/go-cty/cty/function/stdlib"

func init() {
	const c = "Numbers"
	add(c, "abs(number)", "The number without its sign.", stdlib.AbsoluteFunc, `abs(-3)`, `3`)
	add(c, "ceil(number)", "The next whole number upwards.", stdlib.CeilFunc, `ceil(1.2)`, `2`)
	add(c, "floor(number)", "The next whole number downwards.", stdlib.FloorFunc, `floor(1.8)`, `1`)
	add(c, "log(number, base)", "The logarithm to a base.", safe(stdlib.LogFunc, "the result is no finite number"), `log(8, 2)`, `3`)
	add(c, "max(numbers…)", "The largest of its arguments.", stdlib.MaxFunc, `max(3, 9, 4)`, `9`, `max([1, 2]...)`, `2`)
	add(c, "min(numbers…)", "The smallest of its arguments.", stdlib.MinFunc, `min(3, 9, 4)`, `3`)
	add(c, "parseint(string, base)", "A whole number from its digits in a base from 2 to 62.", stdlib.ParseIntFunc, `parseint("0755", 8)`, `493`)
	add(c, "pow(number, exponent)", "A number raised to a power.", safe(stdlib.PowFunc, "the result is no finite number"), `pow(2, 10)`, `1024`)
	add(c, "signum(number)", "-1, 0 or 1 by the sign.", stdlib.SignumFunc, `signum(-4)`, `-1`)
}

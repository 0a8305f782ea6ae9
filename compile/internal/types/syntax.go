package types

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/json"

	"github.com/unitgen/unitgen/schema/value"
)

var errNoMagnitude = errors.New("is neither a number nor a quantity with a unit")

// parseDuration gives a time span of systemd.time(7) in microseconds.
func parseDuration(s string) (uint64, error) {
	if strings.TrimSpace(s) == "infinity" {
		return ^uint64(0), nil
	}
	return value.ParseTimeSpan(s)
}

// parseBytes gives a size in bytes; K, M, G and T are powers of 1024, as
// everywhere in systemd where memory and files are meant.
func parseBytes(s string) (uint64, error) {
	if s == "infinity" {
		return ^uint64(0), nil
	}
	num := strings.TrimSpace(s)
	shift := 0
	num = strings.TrimSuffix(num, "B")
	if i := strings.IndexByte("KMGTPE", lastByte(num)); i >= 0 {
		shift = 10 * (i + 1)
		num = strings.TrimSpace(num[:len(num)-1])
	}
	if num == "" || strings.Trim(num, "0123456789.") != "" || len(num) > 40 {
		return 0, fmt.Errorf("write a number with one of the suffixes K, M, G, T, P, E")
	}
	f, _, err := big.ParseFloat(num, 10, 128, big.ToZero)
	if err != nil {
		return 0, fmt.Errorf("write a number with one of the suffixes K, M, G, T, P, E")
	}
	f.SetMantExp(f, shift)
	n, _ := f.Uint64()
	if f.Cmp(new(big.Float).SetMantExp(big.NewFloat(1), 64)) >= 0 {
		return 0, fmt.Errorf("it is larger than 64 bits hold")
	}
	return n, nil
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

func parseCalendar(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("it is empty")
	}
	return nil
}

// fingerprint gives equal strings for equal values and types.
func fingerprint(v cty.Value) string {
	b, err := json.Marshal(v, cty.DynamicPseudoType)
	if err != nil {
		return v.GoString()
	}
	return string(b)
}

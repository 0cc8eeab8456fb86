package store

import (
	"context"
	"errors"
	"strconv"

	"gorm.io/gorm/clause"

	"kanal/models"
)

type setting struct {
	Name  string `gorm:"primaryKey"`
	Value string
}

// TableName is settings.
func (setting) TableName() string { return "settings" }

// Setting gives a setting of the installation. ErrNotFound when it was never set.
func (r Reader) Setting(ctx context.Context, name string) (string, error) {
	var v setting
	err := r.q(ctx).Where("name = ?", name).Take(&v).Error
	return v.Value, failed(err, "read setting")
}

// SetSetting writes a setting.
func (tx *Tx) SetSetting(ctx context.Context, name, value string) error {
	on := clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"value"})}
	return failed(tx.q(ctx).Clauses(on).Create(&setting{name, value}).Error, "write setting")
}

// ErrAlreadySetUp says that somebody else has made the first administrator.
var ErrAlreadySetUp = models.E(models.KindConflict, "setup.done")

// WinSetup enters the row that only one can enter. ErrAlreadySetUp for everybody else.
func (tx *Tx) WinSetup(ctx context.Context) error {
	err := tx.q(ctx).Create(&setting{"setup", tx.Now().Format("2006-01-02T15:04:05Z")}).Error
	if isUnique(err, "settings_pkey") {
		return ErrAlreadySetUp
	}
	return failed(err, "write setup")
}

// IsSetUp tells whether the first administrator exists.
func (r Reader) IsSetUp(ctx context.Context) (bool, error) {
	_, err := r.Setting(ctx, "setup")
	if errors.Is(err, models.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Organisation gives the settings of the installation; what was never set has its default. TimeZone is then empty: the
// server's.
func (r Reader) Organisation(ctx context.Context) (models.Organisation, error) {
	o := models.Organisation{RetentionDays: models.DefaultRetentionDays}
	var rows []setting
	if err := r.q(ctx).Where("name IN ?", []string{"time_zone", "retention_days"}).Find(&rows).Error; err != nil {
		return o, failed(err, "read settings")
	}
	for _, v := range rows {
		if v.Name == "time_zone" {
			o.TimeZone = v.Value
		} else if n, err := strconv.Atoi(v.Value); err == nil && n > 0 {
			o.RetentionDays = n
		}
	}
	return o, nil
}

"""Drafts of surveys, what was done to them, more kinds of questions, and when and how a shopper wants an answer."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('customers', '0001_initial'),
        ('stores', '0012_one_index_is_enough'),
        ('surveys', '0002_scans_and_choices_by_kind'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SurveyChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('kind', models.CharField(choices=[('created', 'Made'), ('published', 'Published'), ('dropped', 'Draft dropped'), ('chosen', 'Asked in another place'), ('imported', 'Translations brought in')], max_length=20)),
                ('about', models.CharField(blank=True, max_length=80)),
                ('old', models.JSONField(default=dict)),
                ('new', models.JSONField(default=dict)),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='SurveyDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document', models.JSONField()),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='response',
            name='response_score_in_range',
        ),
        migrations.AddField(
            model_name='response',
            name='contact_language',
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name='response',
            name='contact_when',
            field=models.CharField(choices=[('any', 'Any time'), ('morning', 'In the morning'), ('afternoon', 'In the afternoon'), ('evening', 'In the evening')], default='any', max_length=10),
        ),
        migrations.AddField(
            model_name='surveyversion',
            name='note',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='surveyversion',
            name='published_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='response',
            name='headline_kind',
            field=models.CharField(choices=[('nps', '0 to 10 (NPS)'), ('smiley3', 'Three smileys'), ('smiley4', 'Four smileys'), ('smiley5', 'Five smileys'), ('csat', '1 to 5 (CSAT)'), ('ces', '1 to 7 (CES)')], max_length=10),
        ),
        migrations.AlterField(
            model_name='surveyversion',
            name='headline_kind',
            field=models.CharField(choices=[('nps', '0 to 10 (NPS)'), ('smiley3', 'Three smileys'), ('smiley4', 'Four smileys'), ('smiley5', 'Five smileys'), ('csat', '1 to 5 (CSAT)'), ('ces', '1 to 7 (CES)')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='response',
            constraint=models.CheckConstraint(condition=models.Q(('score', None), models.Q(('headline_kind', 'nps'), ('score__gte', 0), ('score__lte', 10)), models.Q(('headline_kind', 'smiley3'), ('score__gte', 1), ('score__lte', 3)), models.Q(('headline_kind', 'smiley4'), ('score__gte', 1), ('score__lte', 4)), models.Q(('headline_kind', 'smiley5'), ('score__gte', 1), ('score__lte', 5)), models.Q(('headline_kind', 'csat'), ('score__gte', 1), ('score__lte', 5)), models.Q(('headline_kind', 'ces'), ('score__gte', 1), ('score__lte', 7)), _connector='OR'), name='response_score_in_range'),
        ),
        migrations.AddField(
            model_name='surveychange',
            name='actor',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='surveychange',
            name='survey',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='surveys.survey'),
        ),
        migrations.AddField(
            model_name='surveydraft',
            name='based_on',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='surveys.surveyversion'),
        ),
        migrations.AddField(
            model_name='surveydraft',
            name='changed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='surveydraft',
            name='survey',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='surveys.survey'),
        ),
    ]
